/** Named maps: keys of their own, with options all replicas agree on. */
import type { ByteString, Revision } from './types.ts';

export interface MapOptions {
  /** False: the map is dropped as soon as no session has it open any more. */
  readonly persist: boolean;
  /** What a session puts goes with it. */
  readonly prune: boolean;
}

/** A map by its name and, unless that is 0, by the revision that created it. */
export interface MapRef {
  readonly map: ByteString;
  /** Of a map dropped and made anew meanwhile, nothing is opened, changed or dropped. */
  readonly created: Revision;
}

/** `openMap` and `detachMap` act for a session, and so does `mapPut` where a map prunes. */
export type MapCommand =
  /**
   * Opens the map for the acting session; with `created` 0 it is created if need be. Other options
   * than the map has are refused.
   */
  | ({ readonly type: 'openMap' } & MapRef & MapOptions)
  /** The acting session has it open no more. */
  | ({ readonly type: 'detachMap' } & MapRef)
  /** Removes the map with everything in it, whoever has it open. */
  | ({ readonly type: 'dropMap' } & MapRef)
  | ({
      readonly type: 'mapPut';
      readonly key: ByteString;
      readonly value: Uint8Array;
    } & MapRef)
  /** A key that is not there is no error: nothing changes. */
  | ({ readonly type: 'mapRemove'; readonly key: ByteString } & MapRef);

/** To `openMap`. Puts and removals are answered as keys are. */
export type MapResult = {
  readonly type: 'map';
  readonly revision: Revision;
  readonly existed: boolean;
  /** Revision at which the map was created: another one of the same name has another. */
  readonly created: Revision;
};
