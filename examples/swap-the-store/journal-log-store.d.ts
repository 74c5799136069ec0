import { BackedLogStore } from 'holdfast';
/** Keeps a node's log in a directory of its own. */
export declare class JournalLogStore extends BackedLogStore {
  constructor(options: { readonly path: string });
}
/** What the conformance suite, and the child processes it kills, make stores with. */
export declare function createStore(directory: string): JournalLogStore;
