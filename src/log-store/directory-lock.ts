/** One store at a time in a directory. Node has no call for that, so the system's names serve. */
import { once } from 'node:events';
import { closeSync, constants, openSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { HoldfastError } from '../base/index.ts';
import { unusablePlace } from './directory.ts';

export interface DirectoryLock {
  /** Lets others in. Idempotent. */
  release(): Promise<void>;
}

/** open(2) of macOS and the BSDs: the file is locked for as long as it is open. */
const O_EXLOCK = 0x20;
const TAKEN: ReadonlySet<unknown> = new Set(['EADDRINUSE', 'EAGAIN', 'EWOULDBLOCK']);

/**
 * Takes a directory that exists for one store of this process. The system lets go of it with the
 * process, however that ends, so nothing is ever left to tidy. On Linux the lock is the name of a
 * socket: containers that share a directory but not their network do not see each other's.
 * @throws HoldfastError `data-in-use` when another store has it, in this process or another.
 */
export async function lockDirectory(path: string): Promise<DirectoryLock> {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    const name = `holdfast-${dev}-${ino}`;
    if (process.platform === 'linux') return await claimName(`\0${name}`);
    if (process.platform === 'win32') return await claimName(`\\\\.\\pipe\\${name}`);
    return claimFile(join(path, 'lock'));
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !TAKEN.has(error.code)) {
      throw unusablePlace(path, error);
    }
    const message = `another process has ${path} open; stop it first`;
    throw new HoldfastError('data-in-use', message, { cause: error });
  }
}

async function claimName(name: string): Promise<DirectoryLock> {
  const server = createServer((socket) => socket.destroy());
  // exclusive: a worker of node:cluster must not share the name with its siblings.
  server.listen({ path: name, exclusive: true });
  await once(server, 'listening');
  server.unref();
  const closed = once(server, 'close');
  return {
    release: async () => {
      server.close();
      await closed;
    },
  };
}

function claimFile(path: string): DirectoryLock {
  const { O_CREAT, O_NONBLOCK, O_RDWR } = constants;
  let file: number | undefined = openSync(path, O_CREAT | O_RDWR | O_NONBLOCK | O_EXLOCK);
  return {
    release: async () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}
