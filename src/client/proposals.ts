/** Commands on their way into the log: numbered, encoded, sent, and their results read. */
import { HoldfastError, utf8ToByteString } from '../base/index.ts';
import {
  decodeAnswer,
  decodeResult,
  encodeCommand,
  encodeQuery,
  type RegistryAnswer,
  type RegistryCommand,
  type RegistryQuery,
  type RegistryResult,
  type SessionId,
} from '../registry/index.ts';
import type { Consistency } from '../protocol/index.ts';
import { textOf } from './edge.ts';
import type { ClientEnvironment } from './environment.ts';
import { readAnswer } from './error-response.ts';
import type { Link } from './link.ts';
import type { Sequencer } from './sequencer.ts';
import { abortError, pause, type StopSignal } from './waiting.ts';

/** For whom a command acts. With a sequencer its writes are applied exactly once. */
export interface Actor {
  readonly session: SessionId;
  readonly sequencer: Sequencer | undefined;
  /** The registry says that the session is gone. */
  gone(): void;
}

export const NOBODY: Actor = {
  session: 0 as SessionId,
  sequencer: undefined,
  gone: () => undefined,
};

/** How long a call may take, and what else ends the waiting. */
export interface Patience {
  readonly deadlineMs: number;
  readonly signal: StopSignal | undefined;
}

/**
 * Refusals that are not kept as the answer to the number: an earlier attempt may have been applied
 * and forgotten, or be applied yet.
 */
const NOT_OF_RECORD: ReadonlySet<string> = new Set([
  'session-expired',
  'sequence-too-old',
  'overloaded',
]);
/** Before a write that found the session's window full of answers takes another number. */
const WINDOW_PAUSE_MS = 5;

/** The registry keeps no more answers of the session for now: certainly not applied. */
class WindowFull extends HoldfastError {}

export type CommandResult = Exclude<RegistryResult, { type: 'error' }>;
export type QueryAnswer = Exclude<RegistryAnswer, { type: 'error' }>;

/** A command with its number, ready to be sent as often as it takes. */
export interface Prepared {
  readonly command: Uint8Array;
  readonly actor: Actor;
  readonly sequence: number;
}

/** A result, and when the attempt it answers was sent. */
export interface Applied {
  readonly result: CommandResult;
  readonly sentAtMs: number;
}

export class Proposals {
  readonly environment: ClientEnvironment;
  readonly #link: Link;
  /** The newest revision any answer told of. */
  seenRevision = 0;

  constructor(link: Link, environment: ClientEnvironment) {
    this.#link = link;
    this.environment = environment;
  }

  /** Sends a command once prepared, and settles its number whatever comes. */
  async propose(
    command: RegistryCommand,
    actor: Actor,
    patience: Patience,
    repeatable = false,
  ): Promise<Applied> {
    for (;;) {
      const prepared =
        this.#tryPrepare(command, actor) ?? (await this.prepare(command, actor, patience));
      try {
        return await this.send(prepared, patience, repeatable);
      } catch (error) {
        if (!this.mayTakeAnotherNumber(error, patience)) throw error;
      } finally {
        this.settle(prepared);
      }
      await this.windowPause(patience);
    }
  }

  /** Whether only the window was full, so that the command may go under another number in time. */
  mayTakeAnotherNumber(error: unknown, { deadlineMs }: Patience): boolean {
    return error instanceof WindowFull && this.environment.now() + WINDOW_PAUSE_MS < deadlineMs;
  }

  /** The next number goes out with what was acknowledged by then, which makes room. */
  async windowPause({ signal }: Patience): Promise<void> {
    await pause(WINDOW_PAUSE_MS, this.environment, signal);
    if (signal?.aborted === true) throw abortError(signal, 'the write');
  }

  /** Waits while the session has as many unanswered writes as the registry keeps answers for. */
  async prepare(command: RegistryCommand, actor: Actor, patience: Patience): Promise<Prepared> {
    for (;;) {
      const prepared = this.#tryPrepare(command, actor);
      if (prepared !== undefined) return prepared;
      await actor.sequencer?.room();
      if (patience.signal?.aborted === true) throw abortError(patience.signal, 'the write');
      if (this.environment.now() >= patience.deadlineMs) {
        throw new HoldfastError('timeout', 'too many writes under way: this one was never sent');
      }
    }
  }

  #tryPrepare(command: RegistryCommand, actor: Actor): Prepared | undefined {
    const { session, sequencer } = actor;
    const sequence = sequencer === undefined ? 0 : sequencer.next();
    if (sequence === undefined) return undefined;
    const acknowledged = sequencer === undefined ? 0 : sequencer.acknowledged;
    const header = { session, sequence, acknowledged, node: utf8ToByteString(this.#link.nodeId) };
    return { command: encodeCommand(header, command), actor, sequence };
  }

  /** `repeatable`: doing it twice does no harm even without a number. */
  async send(prepared: Prepared, patience: Patience, repeatable = false): Promise<Applied> {
    const { response, sentAtMs, doubted } = await this.#link.call({
      request: { type: 'propose', command: prepared.command },
      repeatable: repeatable || prepared.sequence > 0,
      timeoutMs: this.#leftMs(patience),
      signal: patience.signal,
    });
    if (response.type !== 'ok') throw unexpected(response.type);
    const result = readAnswer(decodeResult, response.payload, 'unknown');
    if (result.type !== 'error') {
      this.#saw(result.revision);
      return { result, sentAtMs };
    }
    const { code, message } = result;
    const outcome = doubted && NOT_OF_RECORD.has(code) ? 'unknown' : 'not-applied';
    if (code === 'session-expired') prepared.actor.gone();
    const full = code === 'overloaded' && prepared.sequence > 0 && outcome === 'not-applied';
    const Kind = full ? WindowFull : HoldfastError;
    throw new Kind(code, textOf(message), { outcome });
  }

  settle(prepared: Prepared): void {
    if (prepared.sequence > 0) prepared.actor.sequencer?.settle(prepared.sequence);
  }

  async query(
    query: RegistryQuery,
    consistency: Consistency,
    patience: Patience,
  ): Promise<QueryAnswer> {
    const { response } = await this.#link.call({
      request: { type: 'query', consistency, query: encodeQuery(query) },
      repeatable: true,
      timeoutMs: this.#leftMs(patience),
      signal: patience.signal,
    });
    if (response.type !== 'ok') throw unexpected(response.type);
    return this.read(response.payload);
  }

  /** A node's answer to a query, decoded. Throws the error that a refusal stands for. */
  read(payload: Uint8Array): QueryAnswer {
    const answer = readAnswer(decodeAnswer, payload);
    if (answer.type === 'error') throw new HoldfastError(answer.code, textOf(answer.message));
    this.#saw(answer.type === 'stats' ? answer.stats.revision : answer.revision);
    return answer;
  }

  #leftMs(patience: Patience): number {
    return Math.max(1, patience.deadlineMs - this.environment.now());
  }

  #saw(revision: number): void {
    if (revision > this.seenRevision) this.seenRevision = revision;
  }
}

function unexpected(what: string): HoldfastError {
  return new HoldfastError('internal', `a registry call was answered with ${what}`);
}

/** The result of the one type a command has. */
export function resultOf<Type extends CommandResult['type']>(
  result: CommandResult,
  type: Type,
): Extract<CommandResult, { type: Type }> {
  if (isOfType(result, type)) return result;
  throw unexpected(result.type);
}

/** The answer of the one type a query has. */
export function answerOf<Type extends QueryAnswer['type']>(
  answer: QueryAnswer,
  type: Type,
): Extract<QueryAnswer, { type: Type }> {
  if (isOfType(answer, type)) return answer;
  throw unexpected(answer.type);
}

function isOfType<Union extends { readonly type: string }, Type extends Union['type']>(
  value: Union,
  type: Type,
): value is Extract<Union, { type: Type }> {
  return value.type === type;
}
