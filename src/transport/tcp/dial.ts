import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseAddress } from '../../wire/index.ts';
import type { TlsOptions } from './options.ts';

/** Silence after which the operating system itself asks whether the other side lives. */
export const KEEP_ALIVE_DELAY_MS = 10_000;

/** Begins to connect; `connected` is called once the socket can be spoken to. */
export function dial(address: string, tls: TlsOptions | undefined, connected: () => void): Socket {
  const target = {
    ...parseAddress(address),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
  };
  if (tls === undefined) return connectTcp(target, connected);
  const { key, cert, ca, serverName } = tls;
  return connectTls(
    {
      ...target,
      key,
      cert,
      ...(ca === undefined ? {} : { ca }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    },
    connected,
  );
}

/** One line for a socket's error; a name with several addresses fails with several. */
export function reasonOf(error: Error): string {
  if (error instanceof AggregateError) {
    return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
  }
  return error.message;
}
