import { byteStringToBytes, HoldfastError } from '../base/index.ts';
import {
  decodeAnswer,
  encodeQuery,
  type ByteString,
  type NamedHash,
  type TreeAnswer,
  type TreeCommand,
  type TreeQuery,
  type TreeState,
} from '../registry/index.ts';
import { wholeNumber } from './checks.ts';
import { encodePrefix, textOf } from './edge.ts';
import { readAnswer } from './error-response.ts';
import type {
  HashTree,
  PrefixHash,
  TreeCompareOptions,
  TreeDifference,
  TreeHashes,
  TreeLocked,
  TreeLockOptions,
  TreeNodeOptions,
  TreePath,
  TreeReleased,
  TreeUnready,
  TreeUpdated,
} from './hash-tree-types.ts';
import type { CallOptions, Key, SessionRef } from './key-types.ts';
import type { MemberCalls } from './member-calls.ts';
import {
  answerOf,
  type Actor,
  type CommandResult,
  type Patience,
  type Proposals,
} from './proposals.ts';
import { edgeDifference, treeDifferences, type ComparedTree } from './tree-compare.ts';
import { abortError, pause } from './waiting.ts';

/** Between two questions to a tree that is being hashed. */
const MAX_PAUSE_MS = 100;

export interface HashTreeHost {
  readonly proposals: Proposals;
  readonly members: MemberCalls;
  patience(options: CallOptions | undefined): Patience;
  actorFor(session: SessionRef | undefined, patience: Patience): Actor | Promise<Actor>;
}

type Ready = Extract<TreeState, { readonly type: 'ready' }>;

/** What one tree said, or why it said nothing. */
export type Told =
  { readonly type: 'ok'; readonly state: Ready; readonly answer: TreeAnswer } | TreeUnready;

export class ClientHashTree implements HashTree {
  readonly #host: HashTreeHost;

  constructor(host: HashTreeHost) {
    this.#host = host;
  }

  async lock(options: TreeLockOptions = {}): Promise<TreeLocked> {
    const result = await this.#propose('lockTree', options);
    if (result.type === 'treeLocked') return pointOf(result);
    if (result.type === 'treeRefused') return { type: 'locked', holder: result.holder };
    throw unexpected(result.type);
  }

  async update(options: TreeLockOptions = {}): Promise<TreeUpdated> {
    const result = await this.#propose('updateTree', options);
    if (result.type === 'treeLocked') return pointOf(result);
    return refusalOf(result);
  }

  async release(options: TreeLockOptions = {}): Promise<TreeReleased> {
    const result = await this.#propose('releaseTree', options);
    return result.type === 'done' ? { type: 'ok' } : refusalOf(result);
  }

  async prefixHash(path: TreePath, options: TreeNodeOptions): Promise<PrefixHash> {
    const query = { type: 'treeHash', path: encodePath(path) } as const;
    const told = await this.ask(options.node, query, this.#host.patience(options));
    if (told.type !== 'ok') return told;
    const { index, revision, keys, locked } = told.state;
    return { type: 'ok', hash: told.answer.hashes[0]?.hash, index, revision, keys, locked };
  }

  async bucket(
    path: TreePath,
    level: 0 | 1,
    bucket: number,
    options: TreeNodeOptions,
  ): Promise<TreeHashes> {
    const encoded = encodePath(path);
    const asked = {
      type: 'treeBucket',
      path: encoded,
      level: wholeNumber(level, 'level'),
      bucket: wholeNumber(bucket, 'bucket'),
    } as const;
    return await this.#pages(options, (after) => ({ ...asked, after }));
  }

  async keyHashes(
    path: readonly [prefix: Key, sub: Key],
    segment: number,
    options: TreeNodeOptions,
  ): Promise<TreeHashes> {
    const encoded = encodePath(path);
    const asked = {
      type: 'treeKeys',
      path: encoded,
      segment: wholeNumber(segment, 'segment'),
    } as const;
    return await this.#pages(options, (after) => ({ ...asked, after }));
  }

  async compare<Result>(
    options: TreeCompareOptions,
    handler: (difference: TreeDifference, result: Result) => Result | Promise<Result>,
    initial: Result,
  ): Promise<Result> {
    const patience = this.#host.patience(options);
    const tree = (node: string): ComparedTree => this.compared(node, () => patience, patience);
    let result = initial;
    for await (const found of treeDifferences(tree(options.local), tree(options.remote))) {
      result = await handler(edgeDifference(found), result);
    }
    return result;
  }

  async reset(options: TreeNodeOptions): Promise<{ readonly type: 'ok' | 'postponed' }> {
    const told = await this.ask(options.node, { type: 'resetTree' }, this.#host.patience(options));
    return { type: told.type === 'ok' && told.state.locked ? 'postponed' : 'ok' };
  }

  /** One member's tree, to be compared with another's. `each`: how long one question may take. */
  compared(node: string, each: () => Patience, all: Patience): ComparedTree {
    const { environment } = this.#host.members;
    return {
      node,
      ask: (query) => this.#ask(node, query, each()),
      pause: async (round) => {
        await pause(Math.min(2 ** round, MAX_PAUSE_MS), environment, all.signal);
        if (all.signal?.aborted === true) throw abortError(all.signal, 'the comparison');
        if (environment.now() < all.deadlineMs) return;
        throw new HoldfastError('timeout', `${node} did not list its keys in time`);
      },
    };
  }

  /** One question to one member's tree. */
  async ask(node: string, query: TreeQuery, patience: Patience): Promise<Told> {
    const answer = await this.#ask(node, query, patience);
    const { state } = answer;
    return state.type === 'ready' ? { type: 'ok', state, answer } : state;
  }

  async #ask(node: string, query: TreeQuery, patience: Patience): Promise<TreeAnswer> {
    const { members } = this.#host;
    // Each answers for itself, but not before it has heard of what the caller was told of: who has
    // locked, updated or released the trees is not to find them otherwise at some node.
    const consistency = 'linearizable';
    const request = { type: 'query', consistency, query: encodeQuery(query) } as const;
    const response = await members.call(node, request, patience);
    if (response.type !== 'ok') throw unexpected(response.type);
    const answer = readAnswer(decodeAnswer, response.payload);
    if (answer.type === 'error') {
      throw new HoldfastError(answer.code, `${node}: ${textOf(answer.message)}`);
    }
    return answerOf(answer, 'tree');
  }

  async #pages(
    options: TreeNodeOptions,
    query: (after: ByteString | undefined) => TreeQuery,
  ): Promise<TreeHashes> {
    const patience = this.#host.patience(options);
    const all: NamedHash[] = [];
    for (;;) {
      const told = await this.ask(options.node, query(all.at(-1)?.name), patience);
      if (told.type !== 'ok') return told;
      for (const one of told.answer.hashes) all.push(one);
      if (told.answer.more && told.answer.hashes.length > 0) continue;
      const { index, revision } = told.state;
      const hashes = all.map(({ name, hash }) => {
        return { name: textOf(name), nameBytes: byteStringToBytes(name), hash };
      });
      return { type: 'ok', index, revision, hashes };
    }
  }

  async #propose(type: TreeCommand['type'], options: TreeLockOptions): Promise<CommandResult> {
    const { proposals } = this.#host;
    const patience = this.#host.patience(options);
    const actor = await this.#host.actorFor(options.session, patience);
    const { result } = await proposals.propose({ type }, actor, patience);
    return result;
  }
}

function encodePath(path: readonly Key[]): ByteString[] {
  if (Array.isArray(path) && path.length <= 2) return path.map((name) => encodePrefix(name));
  const rule = 'a path is [], [prefix] or [prefix, subPrefix]';
  throw new HoldfastError('invalid-argument', `path is ${JSON.stringify(path)}: ${rule}`);
}

function pointOf({ index, revision }: Extract<CommandResult, { type: 'treeLocked' }>): {
  readonly type: 'ok';
  readonly index: number;
  readonly revision: number;
} {
  return { type: 'ok', index, revision };
}

function refusalOf(result: CommandResult): Exclude<TreeReleased, { readonly type: 'ok' }> {
  if (result.type !== 'treeRefused') throw unexpected(result.type);
  if (result.why === 'not_locked') return { type: 'not_locked' };
  return { type: 'not_allowed', holder: result.holder };
}

function unexpected(what: string): HoldfastError {
  return new HoldfastError('internal', `a hash tree's call was answered with ${what}`);
}
