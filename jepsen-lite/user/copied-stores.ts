/**
 * A user's stores under a simulated cluster. A crash leaves what a killed process leaves: the
 * node's next life opens a copy of the directory as it was at that moment.
 */
import { cpSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogStore } from '../../src/log-store/index.ts';
import type { RealStores } from '../simulation/stores.ts';
import { mustHave } from './options.ts';

const STORE_METHODS = ['open', 'write', 'saveSnapshot', 'close'];

export type CreateStore = (directory: string) => LogStore;

/** Copies of a directory that something still writes to are made so often at most. */
const MOST_COPIES = 20;

interface Node {
  directory: string;
  /** Of its present life. */
  store: Abandonable | undefined;
}

export class CopiedStores implements RealStores, AsyncDisposable {
  readonly #create: CreateStore;
  readonly #root: string;
  readonly #nodes = new Map<string, Node>();
  readonly #closing: Promise<unknown>[] = [];
  #directories = 0;

  constructor(create: CreateStore) {
    this.#create = create;
    this.#root = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-faults-')));
  }

  create(node: string): LogStore {
    const place = this.#placeOf(node);
    this.#abandon(place);
    const store = this.#create(place.directory);
    mustHave('create', store, STORE_METHODS);
    const created = abandonable(store);
    place.store = created;
    return created.store;
  }

  crashed(node: string): void {
    const place = this.#placeOf(node);
    const copy = this.#newDirectory();
    copyAsItIs(place.directory, copy);
    place.directory = copy;
    this.#abandon(place);
  }

  wiped(node: string): void {
    const place = this.#placeOf(node);
    this.#abandon(place);
    place.directory = this.#newDirectory();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const place of this.#nodes.values()) this.#abandon(place);
    await Promise.allSettled(this.#closing);
    rmSync(this.#root, { recursive: true, force: true });
  }

  #placeOf(node: string): Node {
    const known = this.#nodes.get(node);
    if (known !== undefined) return known;
    const place: Node = { directory: this.#newDirectory(), store: undefined };
    this.#nodes.set(node, place);
    return place;
  }

  #newDirectory(): string {
    return mkdtempSync(join(this.#root, `${this.#directories++}-`));
  }

  /** Whatever the store still does, it does in a directory that nobody looks at any more. */
  #abandon(place: Node): void {
    const { store } = place;
    place.store = undefined;
    if (store !== undefined) this.#closing.push(store.abandon());
  }
}

interface Abandonable {
  readonly store: LogStore;
  /** Ends what it waits for, and closes it. */
  abandon(): Promise<void>;
}

/** A store whose snapshots' chunks end when it is abandoned: it would wait for them for ever. */
function abandonable(store: LogStore): Abandonable {
  const stops: ((why: Error) => void)[] = [];
  const stopped = new Promise<never>((_, reject) => stops.push(reject));
  stopped.catch(() => undefined);
  const saveSnapshot: LogStore['saveSnapshot'] = (meta, chunks) =>
    store.saveSnapshot(meta, untilStopped(chunks, stopped));
  const proxy = new Proxy(store, {
    get(target, name): unknown {
      if (name === 'saveSnapshot') return saveSnapshot;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const abandon = async (): Promise<void> => {
    for (const stop of stops) stop(new Error('the process was killed'));
    await store.close();
  };
  return { store: proxy, abandon };
}

async function* untilStopped(
  chunks: AsyncIterable<Uint8Array>,
  stopped: Promise<never>,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([iterator.next(), stopped]);
    if (next.done === true) return;
    yield next.value;
  }
}

/** Copies again if files changed meanwhile: no crash shows one file sooner than another. */
function copyAsItIs(from: string, to: string): void {
  for (let copies = 0; copies < MOST_COPIES; copies++) {
    const before = looksOf(from);
    rmSync(to, { recursive: true, force: true });
    try {
      cpSync(from, to, { recursive: true, preserveTimestamps: true });
    } catch (error) {
      // A file went away while it was copied.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') continue;
      throw error;
    }
    if (looksOf(from) === before) return;
  }
  throw new Error(`${from} changes all the time: it cannot be copied as it is at one moment`);
}

function looksOf(directory: string): string {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const stat = statSync(join(directory, name), { bigint: true, throwIfNoEntry: false });
      return `${name} ${stat?.size ?? ''} ${stat?.mtimeNs ?? ''}`;
    })
    .join('\n');
}
