/** What stands in the payloads of forwarded requests and their answers. */
import { ByteReader, ByteWriter, HoldfastError } from '../base/index.ts';
import type { ErrorCode } from '../base/index.ts';
import type { NodeId, Term } from '../raft/index.ts';
import type { Answer, MembershipChange } from './contract.ts';

const EPOCHS = 2 ** 20;
const REQUESTS_PER_EPOCH = 2 ** 32;

/**
 * The first id of a life of a node. Drawn at each start, so that an answer to an earlier life finds
 * nobody, and a repeated request of an earlier life is not taken for one of this.
 */
export function firstIdOfLife(random: number): number {
  return Math.floor(random * EPOCHS) * REQUESTS_PER_EPOCH;
}

/** Names the life of the node an id belongs to. */
export function lifeOf(node: NodeId, id: number): string {
  return `${node}/${Math.floor(id / REQUESTS_PER_EPOCH)}`;
}

/** Commands of several callers in one message. */
export interface ForwardedWork {
  /** The sender's: the leader takes the work only in this term, see `ForwardReceiver`. */
  readonly term: Term;
  /** The longest patience among the callers; here each of them gives up in its own time. */
  readonly timeoutMs: number;
  readonly commands: readonly Uint8Array[];
}

export function encodeWork(work: ForwardedWork): Uint8Array {
  let size = 32;
  for (const command of work.commands) size += command.length + 5;
  const writer = new ByteWriter(size);
  writer.varint(work.term).varint(Math.max(0, Math.ceil(work.timeoutMs)));
  writer.varint(work.commands.length);
  for (const command of work.commands) writer.bytes(command);
  return writer.finish();
}

export function decodeWork(payload: Uint8Array): ForwardedWork {
  const reader = new ByteReader(payload);
  const term = reader.varint() as Term;
  const timeoutMs = reader.varint();
  const count = reader.varint();
  const commands: Uint8Array[] = [];
  for (let i = 0; i < count; i++) commands.push(reader.bytes());
  reader.end();
  return { term, timeoutMs, commands };
}

export interface SlotAnswer {
  readonly slot: number;
  readonly answer: Answer;
}

export function encodeAnswers(answers: readonly SlotAnswer[]): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(answers.length);
  for (const { slot, answer } of answers) {
    writer.varint(slot).boolean(answer.type === 'ok');
    if (answer.type === 'ok') writer.bytes(answer.payload);
    else writeError(writer, answer.error);
  }
  return writer.finish();
}

export function decodeAnswers(payload: Uint8Array): SlotAnswer[] {
  const reader = new ByteReader(payload);
  const count = reader.varint();
  const answers: SlotAnswer[] = [];
  for (let i = 0; i < count; i++) {
    const slot = reader.varint();
    const answer: Answer = reader.boolean()
      ? { type: 'ok', payload: reader.bytes() }
      : { type: 'error', error: readError(reader) };
    answers.push({ slot, answer });
  }
  reader.end();
  return answers;
}

function writeError(writer: ByteWriter, error: HoldfastError): void {
  writer
    .text(error.code)
    .text(error.message)
    .boolean(error.outcome === 'unknown');
  writer.text(error.leader ?? '');
}

function readError(reader: ByteReader): HoldfastError {
  const code = reader.text() as ErrorCode;
  const message = reader.text();
  const outcome = reader.boolean() ? 'unknown' : 'not-applied';
  const leader = reader.text();
  return new HoldfastError(code, message, leader === '' ? { outcome } : { outcome, leader });
}

const CHANGE_TYPES = ['add', 'promote', 'demote', 'remove', 'standDown', 'giveUpStore'] as const;

export function encodeChange(change: MembershipChange): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(CHANGE_TYPES.indexOf(change.type)).text(change.id);
  if (change.type === 'add') writer.text(change.address).boolean(change.promote);
  if (change.type === 'giveUpStore') writer.text(change.storeId);
  return writer.finish();
}

export function decodeChange(bytes: Uint8Array): MembershipChange {
  const reader = new ByteReader(bytes);
  const type = CHANGE_TYPES[reader.u8()];
  const id = reader.text() as NodeId;
  if (type === undefined) throw new HoldfastError('invalid-argument', 'unknown membership change');
  if (type === 'giveUpStore') return { type, id, storeId: reader.text() };
  if (type !== 'add') return { type, id };
  return { type, id, address: reader.text(), promote: reader.boolean() };
}

/** The target of a transfer; '' lets the leader choose. */
export function encodeTarget(to: NodeId | undefined): Uint8Array {
  return new ByteWriter().text(to ?? '').finish();
}

export function decodeTarget(bytes: Uint8Array): NodeId | undefined {
  const text = new ByteReader(bytes).text();
  return text === '' ? undefined : (text as NodeId);
}
