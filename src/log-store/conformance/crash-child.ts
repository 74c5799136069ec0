/** Runs in a child process: works on a store until it is killed or done. */
import { openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { HoldfastError } from '../../base/index.ts';
import type { CreateStore } from './options.ts';
import type { ChildTask } from './child.ts';
import { crashScript } from './crash-script.ts';
import { perform } from './model.ts';
import { entries } from './rig.ts';

/** At once, so that it is said before whatever comes next. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

async function loadCreate(task: ChildTask): Promise<CreateStore> {
  const loaded: Record<string, unknown> = await import(task.module);
  const create = loaded[task.exportName];
  if (typeof create !== 'function') {
    throw new TypeError(`${task.module} exports no function ${task.exportName}`);
  }
  return create as CreateStore;
}

/** Does the script from operation `from` on, telling its progress before and after each. */
async function work(task: ChildTask, create: CreateStore): Promise<void> {
  const progress = task.progressFile === '' ? undefined : openSync(task.progressFile, 'r+');
  const tell = (begun: number, done: number): void => {
    // Fixed in length and written in one call: whoever copies the file sees one or the other.
    const line = `${String(begun).padStart(7)} ${String(done).padStart(7)}\n`;
    if (progress !== undefined) writeSync(progress, line, 0);
  };
  const { operations } = crashScript(task.seed, task.count);
  const store = create(task.directory);
  await store.open({ newStoreId: 'child' });
  for (let at = task.from; at < operations.length; at++) {
    tell(at + 1, at);
    say(`begin ${at + 1}`);
    await perform(store, operations[at]!);
    tell(at + 1, at + 1);
    say(`done ${at + 1}`);
  }
  if (task.closeAtEnd) await store.close();
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return error instanceof HoldfastError ? error.code : `not a HoldfastError: ${String(error)}`;
  }
}

/** Writes to a full disk, then to one with space again; says what came of each. */
async function fillDisk(task: ChildTask, create: CreateStore): Promise<void> {
  const store = create(task.directory);
  await store.open({ newStoreId: 'child' });
  await store.storeEntries(entries(1, 3));
  writeFileSync(task.faultFile, '');
  const full = codeOf(store.storeEntries(entries(4, 5)));
  const queued = codeOf(store.storeEntries(entries(6, 6)));
  const failed = [await full, await queued];
  rmSync(task.faultFile);
  const poisoned = [
    await codeOf(store.storeEntries(entries(4, 4))),
    await codeOf(store.storeMetadata(store.getMetadata())),
  ];
  await store.close();
  const { lastIndex } = await store.open({ newStoreId: 'again' });
  await store.storeEntries(entries(lastIndex + 1, lastIndex + 1));
  await store.close();
  say(JSON.stringify({ failed, poisoned, lastIndex }));
}

async function hold(task: ChildTask, create: CreateStore): Promise<void> {
  await create(task.directory).open({ newStoreId: 'child' });
  say('open');
  process.stdin.resume();
}

const task = JSON.parse(process.argv[2] ?? '') as ChildTask;
const createStore = await loadCreate(task);
switch (task.type) {
  case 'work':
    await work(task, createStore);
    break;
  case 'fillDisk':
    await fillDisk(task, createStore);
    break;
  case 'hold':
    await hold(task, createStore);
    break;
}
if (task.type === 'work' && !task.closeAtEnd) process.kill(process.pid, 'SIGKILL');
