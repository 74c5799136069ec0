/** The naive store every other is compared with, and random work that fits it. */
import assert from 'node:assert/strict';
import type { Entry, LogIndex, Metadata, NodeId, SnapshotMeta } from '../../raft/index.ts';
import type { LogStore, WriteBatch } from '../contract.ts';
import { assertLog, chunksOf, entry, readAll, snapshotMeta, term } from './rig.ts';
import type { Random } from './random.ts';

export type Operation =
  | { readonly type: 'write'; readonly batch: WriteBatch }
  | { readonly type: 'snapshot'; readonly meta: SnapshotMeta; readonly data: Uint8Array };

const NEW_METADATA: Metadata = { term: term(0), votedFor: undefined };

/** One moment of a store: never changed, every operation makes another. */
export interface Model {
  readonly metadata: Metadata;
  readonly entries: readonly Entry[];
  readonly snapshot: { readonly meta: SnapshotMeta; readonly data: Uint8Array } | undefined;
}

export const EMPTY_MODEL: Model = { metadata: NEW_METADATA, entries: [], snapshot: undefined };

export function lastIndexOf(model: Model): number {
  return model.entries.at(-1)?.index ?? model.snapshot?.meta.index ?? 0;
}

export function applied(model: Model, operation: Operation): Model {
  if (operation.type === 'snapshot') {
    return { ...model, snapshot: { meta: operation.meta, data: operation.data } };
  }
  const { metadata, truncateFrom, entries: added, compactThrough } = operation.batch;
  const kept = model.entries.filter(
    (one) => truncateFrom === undefined || one.index < truncateFrom,
  );
  const all = [...kept, ...(added ?? [])];
  return {
    ...model,
    metadata: metadata ?? model.metadata,
    entries: all.filter((one) => compactThrough === undefined || one.index > compactThrough),
  };
}

export async function perform(store: LogStore, operation: Operation): Promise<void> {
  if (operation.type === 'write') return store.write(operation.batch);
  const half = operation.data.length >> 1;
  const chunks = chunksOf(operation.data.subarray(0, half), operation.data.subarray(half));
  return store.saveSnapshot(operation.meta, chunks);
}

/** Fails unless `store` is what `model` says. */
export async function assertModel(store: LogStore, model: Model): Promise<void> {
  assert.deepEqual(store.getMetadata(), model.metadata);
  assert.equal(store.lastIndex(), lastIndexOf(model));
  await assertLog(store, model.entries);
  const reader = await store.openSnapshot();
  try {
    assert.deepEqual(reader?.meta, model.snapshot?.meta);
    if (reader === undefined || model.snapshot === undefined) return;
    assert.ok(Buffer.from(model.snapshot.data).equals(await readAll(reader)), 'snapshot data');
  } finally {
    await reader?.close();
  }
}

function termAt(model: Model, at: number): number | undefined {
  if (model.snapshot?.meta.index === at) return model.snapshot.meta.term;
  return model.entries.find((one) => one.index === at)?.term;
}

function randomSnapshot(random: Random, model: Model, maxBytes: number): Operation | undefined {
  const at = random.between(model.snapshot?.meta.index ?? 0, lastIndexOf(model));
  const termThere = termAt(model, at);
  if (termThere === undefined) return undefined;
  const meta = snapshotMeta(at, termThere);
  return { type: 'snapshot', meta, data: random.bytes(random.between(0, maxBytes)) };
}

/** Some work that fits the model, with entries and snapshots of up to `maxBytes`. */
export function randomOperation(random: Random, model: Model, maxBytes: number): Operation {
  if (random.chance(0.15)) {
    const snapshot = randomSnapshot(random, model, maxBytes);
    if (snapshot !== undefined) return snapshot;
  }
  const covered = model.snapshot?.meta.index ?? 0;
  let last = lastIndexOf(model);
  let truncateFrom: number | undefined;
  if (random.chance(0.25)) {
    truncateFrom = random.between(covered + 1, last + 1);
    last = Math.min(last, truncateFrom - 1);
  }
  // What was written under a higher term and truncated away does not bind the terms that follow.
  let termNow = Math.max(1, model.entries.findLast((one) => one.index <= last)?.term ?? 1);
  const added: Entry[] = [];
  for (let count = random.between(0, 5); count > 0; count--) {
    if (random.chance(0.1)) termNow++;
    const type = random.chance(0.1) ? 'membership' : 'command';
    const data = random.bytes(random.between(0, maxBytes));
    added.push(entry(last + 1 + added.length, { term: termNow, type, data }));
  }
  const metadata = random.chance(0.3)
    ? { term: term(termNow), votedFor: random.chance(0.5) ? ('b' as NodeId) : undefined }
    : undefined;
  const compactThrough = random.chance(0.2) ? random.between(0, covered) : undefined;
  return {
    type: 'write',
    batch: {
      metadata,
      truncateFrom: truncateFrom as LogIndex | undefined,
      entries: added,
      compactThrough: compactThrough as LogIndex | undefined,
    },
  };
}
