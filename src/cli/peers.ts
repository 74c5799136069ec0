/** `--peers` and `--route` as people type them. */
import { usageError } from './exit.ts';

/** `a=host:port,b=host:port` as a record. */
export function parsePeers(text: string, option = '--peers'): Record<string, string> {
  const peers: Record<string, string> = {};
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const id = part.slice(0, at).trim();
    const address = part.slice(at + 1).trim();
    if (at <= 0 || address === '') {
      throw usageError(`${option}: '${part}' is not id=host:port`);
    }
    if (Object.hasOwn(peers, id)) throw usageError(`${option} names '${id}' twice: ids are unique`);
    peers[id] = address;
  }
  return peers;
}
