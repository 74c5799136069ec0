import { unreachable } from '../base/index.ts';
import { viewOf, type Act, type CommandOf } from './act.ts';
import type { RegistryRefusal } from './codec/error.ts';
import { EMPTY_VALUE, storeValue, type KeyEntry, type KeyVersion } from './key-version.ts';
import { decodeMapOptions, encodeMapOptions } from './map-definition.ts';
import type { MapCommand, MapOptions, MapRef } from './map-types.ts';
import { checkEntryKey, checkName, checkValue, refuse, show } from './refusal.ts';
import {
  mapEntryPrefix,
  mapKey,
  mapMarkKey,
  mapRangeEnd,
  nameIn,
  openerKey,
  openerPrefix,
} from './reserved-keys.ts';
import type { RegistryState } from './state.ts';
import type { ByteString, KeyEvent, RegistryResult, Revision, SessionId } from './types.ts';

export function changeMap(act: Act, command: MapCommand): RegistryResult {
  const refusal = checkName('map', command.map);
  if (refusal !== undefined) return refusal;
  switch (command.type) {
    case 'openMap':
      return openMap(act, command);
    case 'detachMap':
      return detachMap(act, command);
    case 'dropMap':
      return dropMap(act, command);
    case 'mapPut':
      return mapPut(act, command);
    case 'mapRemove':
      return mapRemove(act, command);
    default:
      return unreachable(command);
  }
}

function openMap(act: Act, command: CommandOf<'openMap'>): RegistryResult {
  const { state, session, node } = act;
  const { store } = state;
  const { map } = command;
  if (session === 0) return refuse('invalid-argument', 'a map is opened for a session');
  const there = store.find(mapKey(map))?.live;
  const refusal =
    there === undefined && command.created === 0
      ? undefined
      : (refuseAbsent(there, command) ?? refuseOptions(map, optionsIn(there!), command));
  if (refusal !== undefined) return refusal;
  const definition = there ?? create(act, command);
  const key = openerKey(map, session);
  if (store.find(key)?.live === undefined) {
    store.put({ key, stored: EMPTY_VALUE, session, expiresAt: undefined, node });
  }
  const { createRevision: created } = definition;
  return { type: 'map', revision: state.commit(), existed: there !== undefined, created };
}

function create({ state: { store }, node }: Act, { map, ...options }: CommandOf<'openMap'>) {
  const common = { session: 0 as SessionId, expiresAt: undefined, node };
  store.put({ key: mapMarkKey(map), stored: EMPTY_VALUE, ...common });
  return store.put({ key: mapKey(map), stored: encodeMapOptions(options), ...common });
}

function detachMap(act: Act, command: CommandOf<'detachMap'>): RegistryResult {
  const { state, session, node } = act;
  const { store } = state;
  if (session === 0) return refuse('invalid-argument', 'a map is detached from for a session');
  const refusal = refuseAbsent(store.find(mapKey(command.map))?.live, command);
  if (refusal !== undefined) return refusal;
  const opener = store.find(openerKey(command.map, session));
  if (opener?.live !== undefined) {
    store.remove(opener, 'request', node);
    openerLeft(state, opener.key, 'request', node);
  }
  return { type: 'done', revision: state.commit() };
}

function dropMap({ state, node }: Act, command: CommandOf<'dropMap'>): RegistryResult {
  const { map } = command;
  const refusal = refuseAbsent(state.store.find(mapKey(map))?.live, command);
  if (refusal !== undefined) return refusal;
  drop(state, map, 'request', node);
  return { type: 'done', revision: state.commit() };
}

function mapPut(act: Act, command: CommandOf<'mapPut'>): RegistryResult {
  const { state, session, node } = act;
  const { store, limits } = state;
  const { map, key: name, value } = command;
  const definition = store.find(mapKey(map))?.live;
  const refusal =
    checkEntryKey(name, limits) ?? checkValue(value, limits) ?? refuseAbsent(definition, command);
  if (refusal !== undefined) return refusal;
  const { prune } = optionsIn(definition!);
  if (prune && session === 0) {
    const rule = 'entries belong to sessions: put needs a session to act for';
    return refuse('invalid-argument', `map ${show(map)} prunes, so ${rule}`);
  }
  const key = mapEntryPrefix(map) + name;
  const isNew = store.find(key)?.live === undefined;
  if (isNew && store.maps.of(map).entries >= limits.maxMapEntries) {
    return refuse(
      'too-large',
      `map ${show(map)} has ${limits.maxMapEntries} entries (maxMapEntries)`,
    );
  }
  const owner = prune ? session : (0 as SessionId);
  store.put({ key, stored: storeValue(value), session: owner, expiresAt: undefined, node });
  return { type: 'key', revision: state.commit(), view: viewOf(act, key) };
}

function mapRemove(act: Act, command: CommandOf<'mapRemove'>): RegistryResult {
  const { state, node } = act;
  const { store, limits } = state;
  const { map, key: name } = command;
  const key = mapEntryPrefix(map) + name;
  const entry = store.find(key);
  const isThere = entry?.live !== undefined;
  const refusal =
    (isThere ? undefined : checkEntryKey(name, limits)) ??
    refuseAbsent(store.find(mapKey(map))?.live, command);
  if (refusal !== undefined) return refusal;
  const view = viewOf(act, key);
  if (isThere) store.remove(entry, 'request', node);
  return { type: 'key', revision: state.commit(), view };
}

/**
 * To be called after an opener's record has gone, whatever took it: a map that is not to persist
 * goes with the last one.
 */
export function openerLeft(
  state: RegistryState,
  opener: ByteString,
  cause: KeyEvent['cause'],
  node: ByteString,
): void {
  const map = nameIn(opener);
  const definition = state.store.find(mapKey(map))?.live;
  if (definition === undefined || optionsIn(definition).persist) return;
  if (state.store.maps.of(map).openers === 0) drop(state, map, cause, node);
}

/**
 * Removes the map, its entries and its openers as part of the revision under way: the mark first,
 * so that who follows the map is told at once that all of it goes. A session's end cannot be
 * refused, so what this costs is bounded before: by `maxMapEntries`, at each put. At its default
 * that is about a tenth of a second on every replica.
 */
function drop(
  state: RegistryState,
  map: ByteString,
  cause: KeyEvent['cause'],
  node: ByteString,
): void {
  const { store } = state;
  const going: KeyEntry[] = [];
  collect(state, mapMarkKey(map), mapRangeEnd(map), going);
  collect(state, mapKey(map), `${mapKey(map)}\0`, going);
  collect(state, openerPrefix(map), `${openerPrefix(map).slice(0, -1)}\x01`, going);
  for (const entry of going) store.remove(entry, cause, node);
}

function collect(state: RegistryState, start: ByteString, end: ByteString, into: KeyEntry[]): void {
  state.store.scanLive({ start, end }, (entry) => {
    if (entry.live !== undefined) into.push(entry);
    return true;
  });
}

function optionsIn(definition: KeyVersion): MapOptions {
  return decodeMapOptions(definition.value);
}

function refuseAbsent(
  definition: KeyVersion | undefined,
  { map, created }: MapRef,
): RegistryRefusal | undefined {
  if (definition === undefined) {
    return refuse('no-such-map', `there is no map ${show(map)}: it was never opened, or dropped`);
  }
  const actual: Revision = definition.createRevision;
  if (created === 0 || created === actual) return undefined;
  return refuse(
    'no-such-map',
    `map ${show(map)} of revision ${created} was dropped: there is a new one since ${actual}`,
  );
}

function refuseOptions(
  map: ByteString,
  has: MapOptions,
  wanted: MapOptions,
): RegistryRefusal | undefined {
  for (const name of ['persist', 'prune'] as const) {
    if (has[name] === wanted[name]) continue;
    const values = `it was created with ${name} ${has[name]}, not ${wanted[name]}`;
    return refuse('map-conflict', `map ${show(map)}: ${values}`);
  }
  return undefined;
}
