/** What the suite needs to know of the store it checks. */
import type { LogStore } from '../contract.ts';

export type CreateStore = (directory: string) => LogStore;

interface CommonOptions {
  /** `test` of node:test, or anything that takes a name and an asynchronous function. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /**
   * A store that keeps everything in this directory, which exists and is the store's own. Called
   * again with the same directory for a second store over the same data. Must not open it.
   */
  readonly create: CreateStore;
  /**
   * Also many more rounds of the random cases. Defaults to whether HOLDFAST_CONFORMANCE_LONG is
   * set.
   */
  readonly long?: boolean;
}

/** A store whose data survive its process. */
export interface DurableStoreOptions extends CommonOptions {
  readonly durable?: true;
  /** The module that exports `create`, for child processes that are killed. */
  readonly module: URL;
  /** The name `create` is exported under; `createStore` by default. */
  readonly exportName?: string;
  /**
   * Damages the stored record that contains `needle` (which occurs in no other). By default every
   * place in the directory's files where `needle` stands gets one bit flipped; a store that
   * compresses or encrypts what it keeps must find the place itself.
   */
  readonly damage?: (directory: string, needle: Uint8Array) => void | Promise<void>;
  /**
   * false leaves out what needs Linux and a C compiler: losing what was not synced, being killed
   * at each system call, a full disk. Whether the store syncs is then not checked.
   */
  readonly systemCalls?: boolean;
}

/**
 * A store that lives as long as its object: closed and opened again, it must still hold its data.
 */
export interface VolatileStoreOptions extends CommonOptions {
  readonly durable: false;
}

export type ConformanceOptions = DurableStoreOptions | VolatileStoreOptions;
