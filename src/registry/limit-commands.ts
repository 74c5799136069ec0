import type { Act, CommandOf } from './act.ts';
import { limitsFault } from './limits.ts';
import { refuse } from './refusal.ts';
import type { RegistryResult } from './types.ts';

/** From this command on the limits are these. What is there beyond them stays. */
export function setLimits({ state }: Act, { limits }: CommandOf<'setLimits'>): RegistryResult {
  const fault = limitsFault(limits);
  if (fault !== undefined) return refuse('invalid-argument', fault);
  state.limits = limits;
  return { type: 'done', revision: state.store.revision };
}
