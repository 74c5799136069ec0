const PREFIX = 'given-up:';

/**
 * The store id on record for a member whose store is given up: it names the one that must not count
 * any more, so that a node still running on it is not taken for one with a new store.
 */
export function givenUp(storeId: string): string {
  return PREFIX + storeId;
}
