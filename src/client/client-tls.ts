import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { ClientTls } from './options.ts';

/** TLS towards nodes, as the platform takes it. */
export function nodeTls({ serverName, ca, cert, key }: ClientTls): TlsOptions {
  return {
    ...(ca === undefined ? {} : { ca: asPem(ca) }),
    ...(cert === undefined ? {} : { cert: asPem(cert) }),
    ...(key === undefined ? {} : { key: asPem(key) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

function asPem(pem: string | Uint8Array): string | Buffer {
  return typeof pem === 'string' ? pem : Buffer.from(pem);
}
