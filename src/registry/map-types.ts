/** Named maps: keys of their own, with options all replicas agree on. */
import type { ByteString, Revision } from './types.ts';

export interface MapOptions {
  /** False: the map is dropped as soon as no session has it open any more. */
  readonly persist: boolean;
  /** What a session puts goes with it. */
  readonly prune: boolean;
}

/** All but `dropMap` act for a session; what it has open ends with it. */
export type MapCommand =
  /** Opens the map for the acting session, creating it if need be; other options are refused. */
  | ({ readonly type: 'openMap'; readonly map: ByteString } & MapOptions)
  /** The acting session has it open no more. */
  | { readonly type: 'detachMap'; readonly map: ByteString }
  /** Removes the map with everything in it, whoever has it open. */
  | { readonly type: 'dropMap'; readonly map: ByteString }
  | {
      readonly type: 'mapPut';
      readonly map: ByteString;
      readonly key: ByteString;
      readonly value: Uint8Array;
    }
  /** A key that is not there is no error: nothing changes. */
  | { readonly type: 'mapRemove'; readonly map: ByteString; readonly key: ByteString };

/** To `openMap`. Puts and removals are answered as keys are. */
export type MapResult = {
  readonly type: 'map';
  readonly revision: Revision;
  readonly existed: boolean;
  /** Revision at which the map was created: another one of the same name has another. */
  readonly created: Revision;
};
