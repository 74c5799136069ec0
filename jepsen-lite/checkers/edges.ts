/**
 * Edges between sessions and the entries of a table: `store` (value: `{ table, type?, peer? }`,
 * output: `{ stored, connection? }`), `connect` (value: `{ table, type, peer }`, output: the
 * connection), `disconnect` and `notice` (value: `{ connection }`), `erase`, and `entries`, all
 * keys of a table. Each edge ends once, and is told of once.
 */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import type { Rule } from './rules.ts';
import type { SessionLife } from './session-lives.ts';
import { byCall, endOf, fieldOf, numberOf, textFieldOf } from './values.ts';

/** An edge that was certainly made. */
interface Edge {
  readonly connection: number;
  readonly table: string;
  readonly key: string;
  readonly type: string;
  readonly peer: number;
  readonly made: Operation;
}

export interface EdgeHistory {
  readonly edges: readonly Edge[];
  /** By connection. */
  readonly edgeOf: ReadonlyMap<number, Edge>;
  readonly notices: readonly Operation[];
  /** By connection, also those of unknown outcome: they may have ended the edge. */
  readonly disconnects: ReadonlyMap<number, readonly Operation[]>;
  readonly erasures: readonly Operation[];
  readonly stores: readonly Operation[];
  /** Calls that may have made an edge which erases its entry. */
  readonly ties: readonly Operation[];
  /** Of all keys, in order. */
  readonly tableLists: readonly Operation[];
  /** Of all sessions, in order. */
  readonly sessionLists: readonly Operation[];
  readonly lives: ReadonlyMap<number, SessionLife>;
  /** By now, these had read all the notices there were: `{ sessions }`. */
  readonly drained: Operation | undefined;
}

/** What each type does with notices, and with the entry when the session ends. */
const NOTICE_TYPE: Readonly<Record<string, string | undefined>> = {
  link: 'exit',
  forward_link: 'exit',
  backward_link: undefined,
  monitor: 'down',
};
const ERASES: ReadonlySet<string> = new Set(['link', 'backward_link']);

export function edgesOf(
  history: readonly Operation[],
  lives: ReadonlyMap<number, SessionLife>,
): EdgeHistory {
  const ordered = byCall(history);
  const ok = ordered.filter(({ type }) => type === 'ok');
  const edges = ok.flatMap(edgeOf);
  const disconnects = new Map<number, Operation[]>();
  for (const operation of ordered) {
    if (operation.f !== 'disconnect' || operation.type === 'fail') continue;
    const connection = numberOf(operation.value, 'connection') ?? 0;
    disconnects.set(connection, [...(disconnects.get(connection) ?? []), operation]);
  }
  return {
    edges,
    edgeOf: new Map(edges.map((edge) => [edge.connection, edge])),
    notices: ok.filter(({ f }) => f === 'notice'),
    disconnects,
    erasures: history.filter(({ f, type }) => f === 'erase' && type !== 'fail'),
    stores: history.filter(({ f, type }) => f === 'store' && type !== 'fail'),
    ties: history.filter(
      ({ f, type, value }) =>
        (f === 'connect' || f === 'store') &&
        type !== 'fail' &&
        ERASES.has(textFieldOf(value, 'type') ?? ''),
    ),
    tableLists: ok.filter(({ f }) => f === 'entries'),
    sessionLists: ok.filter(({ f }) => f === 'sessions'),
    lives,
    drained: ok.find(({ f }) => f === 'drained'),
  };
}

function edgeOf(made: Operation): Edge[] {
  const { f, key, value, output } = made;
  const connection =
    f === 'connect' && typeof output === 'number'
      ? output
      : f === 'store'
        ? numberOf(output, 'connection')
        : undefined;
  if (connection === undefined) return [];
  const table = textFieldOf(value, 'table') ?? '';
  const type = textFieldOf(value, 'type') ?? '';
  return [{ connection, table, key: key ?? '', type, peer: numberOf(value, 'peer') ?? 0, made }];
}

const noticeOnce: Rule<EdgeHistory> = ({ notices }) => {
  const seen = new Map<number, Operation>();
  for (const notice of notices) {
    const connection = connectionOf(notice);
    const other = seen.get(connection);
    if (other !== undefined) {
      const [a, b] = [describeOperation(other), describeOperation(notice)];
      const message = `${a} and ${b} tell twice of the end of connection ${connection}`;
      return { message, operations: [other, notice] };
    }
    seen.set(connection, notice);
  }
  return undefined;
};

function connectionOf({ value }: Operation): number {
  return numberOf(value, 'connection') ?? 0;
}

/** Of the kind that the edge is for; none of a backward link. */
const noticeOfItsKind: Rule<EdgeHistory> = ({ notices, edgeOf: edgeBy }) => {
  for (const notice of notices) {
    const edge = edgeBy.get(connectionOf(notice));
    if (edge === undefined) continue;
    const wanted = NOTICE_TYPE[edge.type];
    if (wanted === textFieldOf(notice.output, 'type')) continue;
    const message =
      `${describeOperation(notice)} is of a ${edge.type}, ` +
      (wanted === undefined ? 'which is told of to nobody' : `whose notices are of type ${wanted}`);
    return { message, operations: [edge.made, notice] };
  }
  return undefined;
};

/** Once a disconnect was confirmed, nothing more is seen of the connection. */
const silentAfterDisconnect: Rule<EdgeHistory> = ({ notices, disconnects }) => {
  for (const notice of notices) {
    const before = disconnects.get(connectionOf(notice))?.find((one) => endOf(one) < notice.call);
    if (before === undefined) continue;
    const message = `${describeOperation(notice)} came after ${describeOperation(before)}`;
    return { message, operations: [before, notice] };
  }
  return undefined;
};

/** An entry that hangs on a session goes with it. */
const entriesGoWithSessions: Rule<EdgeHistory> = (view) => {
  for (const edge of view.edges) {
    if (!ERASES.has(edge.type)) continue;
    const life = view.lives.get(edge.peer);
    const ended = life === undefined ? undefined : certainEndOf(life);
    if (ended === undefined || mayBeDisconnected(view, edge, endOf(ended))) continue;
    const list = view.tableLists.find(
      (one) => one.call > Math.max(endOf(ended), endOf(edge.made)) && shows(one, edge),
    );
    if (list === undefined || isStoredAgain(view, edge, list)) continue;
    const message =
      `${describeOperation(list)} shows ${edge.key}, which ${describeOperation(edge.made)} had ` +
      `tied to session ${edge.peer}, over since ${describeOperation(ended)}`;
    return { message, operations: [edge.made, ended, list] };
  }
  return undefined;
};

function certainEndOf({ signs, endings }: SessionLife): Operation | undefined {
  return signs[0] ?? endings.find(({ f, type }) => f === 'close-session' && type === 'ok');
}

/** Whether somebody may have taken the edge away by then. */
function mayBeDisconnected(
  { disconnects }: EdgeHistory,
  { connection }: Edge,
  beforeNs: number,
): boolean {
  return disconnects.get(connection)?.some(({ call }) => call <= beforeNs) ?? false;
}

function shows({ value, output }: Operation, { table, key }: Edge): boolean {
  if (textFieldOf(value, 'table') !== table) return false;
  return Array.isArray(output) && output.includes(key);
}

/** By a store that may have come after the one that made the edge. */
function isStoredAgain({ stores }: EdgeHistory, edge: Edge, list: Operation): boolean {
  return stores.some((one) => one.key === edge.key && one !== edge.made && one.call < list.return!);
}

/** An entry goes only when somebody erases it, or a session that it hangs on ends. */
const entriesStay: Rule<EdgeHistory> = (view) => {
  for (const store of view.stores) {
    if (store.type !== 'ok' || fieldOf(store.output, 'stored') !== true) continue;
    const table = textFieldOf(store.value, 'table');
    const list = view.tableLists.find(
      (one) =>
        one.call > store.return! &&
        textFieldOf(one.value, 'table') === table &&
        !(Array.isArray(one.output) && one.output.includes(store.key)),
    );
    if (list === undefined || mayHaveGone(view, store, list)) continue;
    const message =
      `${describeOperation(list)} misses ${store.key} of ${describeOperation(store)}, ` +
      `though nobody erased it and no session that it hangs on had ended`;
    return { message, operations: [store, list] };
  }
  return undefined;
};

function mayHaveGone(view: EdgeHistory, store: Operation, list: Operation): boolean {
  const before = list.return!;
  const isErased = view.erasures.some((one) => one.key === store.key && one.call <= before);
  if (isErased) return true;
  // Of an edge whose making nobody confirmed the peer is not known to be wanted: it may be there.
  return view.ties.some(
    (tie) => tie.key === store.key && tie.call <= before && mayHaveEnded(view, tie, before),
  );
}

/** Whether the session that an edge hangs on may have ended by then. */
function mayHaveEnded({ lives }: EdgeHistory, tie: Operation, beforeNs: number): boolean {
  const life = lives.get(numberOf(tie.value, 'peer') ?? 0);
  if (life === undefined || life.isClosable) return true;
  if (life.endings.some(({ call }) => call <= beforeNs)) return true;
  const last = life.renewals.findLast(({ call }) => call <= beforeNs);
  return last === undefined || last.call + life.ttlNs <= beforeNs || life.signs.length > 0;
}

/** When an entry has gone, each edge that tells of it has told, once its notices were read. */
const everyEndIsTold: Rule<EdgeHistory> = (view) => {
  const { drained } = view;
  if (drained === undefined) return undefined;
  const readers = fieldOf(drained.value, 'sessions');
  const told = new Set(view.notices.map(connectionOf));
  // At the same moment is after it: nothing has come between.
  const alive = view.sessionLists.findLast(({ call }) => call >= drained.call);
  const list = view.tableLists.findLast(({ return: end }) => end! < drained.call);
  for (const edge of view.edges) {
    if (NOTICE_TYPE[edge.type] === undefined || told.has(edge.connection)) continue;
    if (!Array.isArray(readers) || !readers.includes(edge.peer)) continue;
    if (list === undefined || alive === undefined) continue;
    if (mayBeDisconnected(view, edge, drained.call)) continue;
    if (edge.made.return! >= list.call || shows(list, edge)) continue;
    if (!Array.isArray(alive.output) || !alive.output.includes(edge.peer)) continue;
    const message =
      `${describeOperation(list)} shows no ${edge.key} any more, and session ${edge.peer} lives, ` +
      `but it was never told of the end of ${describeOperation(edge.made)}`;
    return { message, operations: [edge.made, list, alive] };
  }
  return undefined;
};

export const edgeRules: readonly Rule<EdgeHistory>[] = [
  noticeOnce,
  noticeOfItsKind,
  silentAfterDisconnect,
  entriesGoWithSessions,
  entriesStay,
  everyEndIsTold,
];
