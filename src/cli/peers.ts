/** `--peers` as people type it. */
import { usageError } from './exit.ts';

/** `a=host:port,b=host:port` as a record. */
export function parsePeers(text: string): Record<string, string> {
  const peers: Record<string, string> = {};
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const id = part.slice(0, at).trim();
    const address = part.slice(at + 1).trim();
    if (at <= 0 || address === '') {
      throw usageError(`--peers: '${part}' is not id=host:port`);
    }
    if (Object.hasOwn(peers, id)) throw usageError(`--peers names '${id}' twice: ids are unique`);
    peers[id] = address;
  }
  return peers;
}
