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
import type { CallOutcome, Link, LinkAnswer, LinkCall } from './link.ts';
import { ProposalCall } from './proposal-call.ts';
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

/** A command to be sent, and what is wanted of its result. */
export interface Proposal<T> {
  readonly command: RegistryCommand;
  readonly actor: Actor;
  readonly patience: Patience;
  /** Doing it twice does no harm even without a number. */
  readonly repeatable: boolean;
  readonly read: (applied: Applied) => T;
  /** Knows for whom it may go once more after it failed; nobody when undefined. */
  readonly elsewhere?: Substitutes | undefined;
}

export interface Substitutes {
  anotherActor(error: unknown, actor: Actor, patience: Patience): Promise<Actor> | undefined;
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
  propose(
    command: RegistryCommand,
    actor: Actor,
    patience: Patience,
    repeatable = false,
  ): Promise<Applied> {
    return this.proposeFor({ command, actor, patience, repeatable, read: asItIs });
  }

  /** The same, for what is made of the result. */
  proposeFor<T>(proposal: Proposal<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      new ProposalCall(this, proposal, resolve, reject).begin();
    });
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
      const prepared = this.tryPrepare(command, actor);
      if (prepared !== undefined) return prepared;
      await actor.sequencer?.room();
      if (patience.signal?.aborted === true) throw abortError(patience.signal, 'the write');
      if (this.environment.now() >= patience.deadlineMs) {
        throw new HoldfastError('timeout', 'too many writes under way: this one was never sent');
      }
    }
  }

  /** Undefined while the session has too many unanswered writes. */
  tryPrepare(command: RegistryCommand, actor: Actor): Prepared | undefined {
    const { session, sequencer } = actor;
    const sequence = sequencer === undefined ? 0 : sequencer.next();
    if (sequence === undefined) return undefined;
    const acknowledged = sequencer === undefined ? 0 : sequencer.acknowledged;
    const header = { session, sequence, acknowledged, node: utf8ToByteString(this.#link.nodeId) };
    try {
      return { command: encodeCommand(header, command), actor, sequence };
    } catch (error) {
      sequencer?.settle(sequence);
      throw error;
    }
  }

  /** `repeatable`: doing it twice does no harm even without a number. */
  async send(prepared: Prepared, patience: Patience, repeatable = false): Promise<Applied> {
    const call = this.#callWith(prepared, patience, repeatable);
    return this.appliedBy(prepared, await this.#link.call(call));
  }

  /** The same, without a promise. */
  begin(prepared: Prepared, patience: Patience, repeatable: boolean, outcome: CallOutcome): void {
    this.#link.begin(this.#callWith(prepared, patience, repeatable), outcome);
  }

  #callWith(prepared: Prepared, patience: Patience, repeatable: boolean): LinkCall {
    return {
      request: { type: 'propose', command: prepared.command },
      repeatable: repeatable || prepared.sequence > 0,
      timeoutMs: this.#leftMs(patience),
      signal: patience.signal,
    };
  }

  /** What the answer to a command says. Throws the error that a refusal stands for. */
  appliedBy(prepared: Prepared, { response, sentAtMs, doubted }: LinkAnswer): Applied {
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

  query(query: RegistryQuery, consistency: Consistency, patience: Patience): Promise<QueryAnswer> {
    return this.queryFor(query, consistency, patience, asItIs);
  }

  /** The same, for what `read` makes of the answer. */
  queryFor<T>(
    query: RegistryQuery,
    consistency: Consistency,
    patience: Patience,
    read: (answer: QueryAnswer) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const call: LinkCall = {
        request: { type: 'query', consistency, query: encodeQuery(query) },
        repeatable: true,
        timeoutMs: this.#leftMs(patience),
        signal: patience.signal,
      };
      this.#link.begin(call, {
        answered: ({ response }) => {
          try {
            if (response.type !== 'ok') throw unexpected(response.type);
            resolve(read(this.read(response.payload)));
          } catch (error) {
            reject(error);
          }
        },
        failed: reject,
      });
    });
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

function asItIs<T>(value: T): T {
  return value;
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
