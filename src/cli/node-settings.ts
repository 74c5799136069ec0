/** `--set name=value` of `serve`: settings of the node that differ from their defaults. */
import { usageError } from './exit.ts';

/** Names and rules are the node's own: an unknown one is refused when it starts. */
export function parseSettings(pairs: readonly string[]): Record<string, number | boolean> {
  const settings: Record<string, number | boolean> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const text = pair.slice(at + 1).trim();
    const value = text === 'true' ? true : text === 'false' ? false : Number(text);
    if (at <= 0 || text === '' || Number.isNaN(value)) {
      throw usageError(`--set: '${pair}' is not name=number, name=true or name=false`);
    }
    settings[pair.slice(0, at).trim()] = value;
  }
  return settings;
}
