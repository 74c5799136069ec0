/** How each type of message lies in a frame: writing and reading side by side. */
import { MalformedBytesError, type ByteReader, type ByteWriter } from '../base/index.ts';
import { decodeRecords, encodeRecords, recordRuns } from '../log-store/index.ts';
import type { Entry, LogIndex, NodeId, Term } from '../raft/index.ts';
import type { ForwardRequest, ForwardResponse, PeerMessage } from './contract.ts';
import { readSnapshotMeta, writeSnapshotMeta } from './snapshot-meta-codec.ts';

/** Who sent a message to whom, as the handshake proved it: not part of the bytes. */
export interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
}

export interface MessageFields<M extends PeerMessage> {
  /** The frame kind, counted from the first free one. Part of the wire format: never reused. */
  readonly kind: number;
  write(writer: ByteWriter, message: M): void;
  /** The end of the head, borrowed instead of written. */
  payload?(message: M): Uint8Array | undefined;
  /** Pieces with checksums of their own. */
  tail?(message: M): readonly Uint8Array[];
  read(reader: ByteReader, envelope: Envelope, tail: Uint8Array): M;
}

type FieldsOfEveryType = {
  readonly [T in PeerMessage['type']]: MessageFields<Extract<PeerMessage, { type: T }>>;
};

const FORWARD_KINDS: readonly ForwardRequest['kind'][] = [
  'propose',
  'leaderQuery',
  'membership',
  'transfer',
];

function readTerm(reader: ByteReader): Term {
  return reader.varint() as Term;
}

function readIndex(reader: ByteReader): LogIndex {
  return reader.varint() as LogIndex;
}

function readRest(reader: ByteReader): Uint8Array {
  return reader.raw(reader.remaining);
}

export const MESSAGE_FIELDS: FieldsOfEveryType = {
  preVoteRequest: {
    kind: 0,
    write(writer, { term, lastIndex, lastTerm }) {
      writer.varint(term).varint(lastIndex).varint(lastTerm);
    },
    read(reader, { from, to }) {
      const term = readTerm(reader);
      const lastIndex = readIndex(reader);
      return { type: 'preVoteRequest', from, to, term, lastIndex, lastTerm: readTerm(reader) };
    },
  },
  preVoteResponse: {
    kind: 1,
    write(writer, { term, granted }) {
      writer.varint(term).boolean(granted);
    },
    read(reader, { from, to }) {
      const term = readTerm(reader);
      return { type: 'preVoteResponse', from, to, term, granted: reader.boolean() };
    },
  },
  voteRequest: {
    kind: 2,
    write(writer, { term, lastIndex, lastTerm, transfer }) {
      writer.varint(term).varint(lastIndex).varint(lastTerm).boolean(transfer);
    },
    read(reader, { from, to }) {
      const term = readTerm(reader);
      const lastIndex = readIndex(reader);
      const lastTerm = readTerm(reader);
      const transfer = reader.boolean();
      return { type: 'voteRequest', from, to, term, lastIndex, lastTerm, transfer };
    },
  },
  voteResponse: {
    kind: 3,
    write(writer, { term, granted }) {
      writer.varint(term).boolean(granted);
    },
    read(reader, { from, to }) {
      const term = readTerm(reader);
      return { type: 'voteResponse', from, to, term, granted: reader.boolean() };
    },
  },
  appendRequest: {
    kind: 4,
    write(writer, { term, round, prevIndex, prevTerm, commit, entries }) {
      writer.varint(term).varint(round).varint(prevIndex).varint(prevTerm);
      writer.varint(commit).varint(entries.length);
    },
    tail: ({ entries }) => {
      encodeRecords(entries);
      return recordRuns(entries);
    },
    read(reader, { from, to }, tail) {
      const term = readTerm(reader);
      const round = reader.varint();
      const prevIndex = readIndex(reader);
      const prevTerm = readTerm(reader);
      const commit = readIndex(reader);
      const entries = readEntries(tail, prevIndex, reader.varint());
      const type = 'appendRequest';
      return { type, from, to, term, round, prevIndex, prevTerm, commit, entries };
    },
  },
  appendResponse: {
    kind: 5,
    write(writer, { term, round, prevIndex, result }) {
      writer
        .varint(term)
        .varint(round)
        .varint(prevIndex)
        .boolean(result.type === 'accepted');
      if (result.type === 'accepted') writer.varint(result.matchIndex);
      else writer.varint(result.hintIndex).varint(result.hintTerm);
    },
    read(reader, { from, to }) {
      const term = readTerm(reader);
      const round = reader.varint();
      const prevIndex = readIndex(reader);
      const accepted = reader.boolean();
      const index = readIndex(reader);
      return {
        type: 'appendResponse',
        from,
        to,
        term,
        round,
        prevIndex,
        result: accepted
          ? { type: 'accepted', matchIndex: index }
          : { type: 'rejected', hintIndex: index, hintTerm: readTerm(reader) },
      };
    },
  },
  heartbeatRequest: {
    kind: 6,
    write(writer, { term, round, commit }) {
      writer.varint(term).varint(round).varint(commit);
    },
    read(reader, { from, to }) {
      const term = readTerm(reader);
      const round = reader.varint();
      return { type: 'heartbeatRequest', from, to, term, round, commit: readIndex(reader) };
    },
  },
  heartbeatResponse: {
    kind: 7,
    write(writer, { term, round }) {
      writer.varint(term).varint(round);
    },
    read(reader, { from, to }) {
      const term = readTerm(reader);
      return { type: 'heartbeatResponse', from, to, term, round: reader.varint() };
    },
  },
  snapshotChunkRequest: {
    kind: 8,
    write(writer, { term, offset, last, snapshot }) {
      writer.varint(term).varint(offset).boolean(last);
      writeSnapshotMeta(writer, snapshot);
    },
    payload: (message) => message.data,
    read(reader, { from, to }) {
      const term = readTerm(reader);
      const offset = reader.varint();
      const last = reader.boolean();
      const snapshot = readSnapshotMeta(reader);
      const data = readRest(reader);
      return { type: 'snapshotChunkRequest', from, to, term, snapshot, offset, data, last };
    },
  },
  snapshotChunkResponse: {
    kind: 9,
    write(writer, { term, snapshotIndex, nextOffset, installed }) {
      writer.varint(term).varint(snapshotIndex).varint(nextOffset).boolean(installed);
    },
    read(reader, { from, to }) {
      const term = readTerm(reader);
      const snapshotIndex = readIndex(reader);
      const nextOffset = reader.varint();
      const installed = reader.boolean();
      const type = 'snapshotChunkResponse';
      return { type, from, to, term, snapshotIndex, nextOffset, installed };
    },
  },
  timeoutNowRequest: {
    kind: 10,
    write(writer, { term }) {
      writer.varint(term);
    },
    read(reader, { from, to }) {
      return { type: 'timeoutNowRequest', from, to, term: readTerm(reader) };
    },
  },
  readIndexRequest: {
    kind: 11,
    write(writer, { term, context }) {
      writer.varint(term).varint(context);
    },
    read(reader, { from, to }) {
      const term = readTerm(reader);
      return { type: 'readIndexRequest', from, to, term, context: reader.varint() };
    },
  },
  readIndexResponse: {
    kind: 12,
    write(writer, { term, context, index }) {
      writer
        .varint(term)
        .varint(context)
        .boolean(index !== undefined);
      if (index !== undefined) writer.varint(index);
    },
    read(reader, { from, to }) {
      const term = readTerm(reader);
      const context = reader.varint();
      const index = reader.boolean() ? readIndex(reader) : undefined;
      return { type: 'readIndexResponse', from, to, term, context, index };
    },
  },
  forwardRequest: {
    kind: 13,
    write(writer, { requestId, kind }) {
      writer.varint(requestId).u8(FORWARD_KINDS.indexOf(kind));
    },
    payload: (message) => message.payload,
    read(reader, { from, to }) {
      const requestId = reader.varint();
      const code = reader.u8();
      const kind = FORWARD_KINDS[code];
      if (kind === undefined) throw new MalformedBytesError(`forwarded request of kind ${code}`);
      return { type: 'forwardRequest', from, to, requestId, kind, payload: readRest(reader) };
    },
  },
  forwardResponse: {
    kind: 14,
    write(writer, { requestId, result }) {
      writer.varint(requestId).boolean(result.type === 'ok');
      if (result.type === 'error') writeForwardError(writer, result);
    },
    payload: ({ result }) => (result.type === 'ok' ? result.payload : undefined),
    read(reader, { from, to }) {
      const requestId = reader.varint();
      const result: ForwardResponse['result'] = reader.boolean()
        ? { type: 'ok', payload: readRest(reader) }
        : readForwardError(reader);
      return { type: 'forwardResponse', from, to, requestId, result };
    },
  },
};

type ForwardError = Extract<ForwardResponse['result'], { type: 'error' }>;

function writeForwardError(writer: ByteWriter, error: ForwardError): void {
  writer
    .text(error.code)
    .text(error.message)
    .boolean(error.outcome === 'unknown');
  writer.boolean(error.leader !== undefined);
  if (error.leader !== undefined) writer.text(error.leader);
}

function readForwardError(reader: ByteReader): ForwardError {
  const code = reader.text();
  const message = reader.text();
  const outcome = reader.boolean() ? 'unknown' : 'not-applied';
  const leader = reader.boolean() ? reader.text() : undefined;
  return { type: 'error', code, message, outcome, leader };
}

function readEntries(tail: Uint8Array, prevIndex: LogIndex, count: number): Entry[] {
  const entries = decodeRecords(tail);
  if (entries.length !== count) {
    throw new MalformedBytesError(`append of ${count} entries holds ${entries.length}`);
  }
  for (let i = 0; i < count; i++) {
    const { index } = entries[i]!;
    if (index === prevIndex + 1 + i) continue;
    throw new MalformedBytesError(`entry ${index} where ${prevIndex + 1 + i} should be`);
  }
  return entries;
}
