import { HoldfastError } from '../base/index.ts';

/** Where something listens. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host:port` (`[::1]:7400` for IPv6). Throws `HoldfastError` `invalid-argument` naming what
 * is wrong. Port 0 means "any free one" and makes sense only for listening.
 */
export function parseAddress(address: string): HostAndPort {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new HoldfastError('invalid-argument', `address '${address}' is not host:port`);
  }
  return { host, port };
}

/** The inverse of `parseAddress`. */
export function formatAddress(address: HostAndPort): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}
