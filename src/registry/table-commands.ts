import type { Act } from './act.ts';
import { refuse } from './refusal.ts';
import type { TableCommand } from './table-types.ts';
import type { RegistryResult } from './types.ts';

export function changeTable(_act: Act, command: TableCommand): RegistryResult {
  return refuse('invalid-command', `${command.type} is not known yet`);
}
