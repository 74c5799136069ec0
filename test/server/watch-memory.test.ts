/** What watches that fell behind hold on to, counted by object after a garbage collection. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { UNFILTERED } from '../../src/protocol/index.ts';
import type { KeyRecord, Revision, RevisionEvents, SessionId } from '../../src/registry/index.ts';
import { eventFilter } from '../../src/server/event-filter.ts';
import type { WatchSource } from '../../src/server/history-reader.ts';
import { WatchHub } from '../../src/server/watch-hub.ts';
import type { Watcher } from '../../src/server/watcher.ts';
import { ManualSchedule } from './support/schedule.ts';
import { RecordingTarget } from './support/watch-client.ts';

const KEPT_REVISIONS = 20;

/** Keeps few revisions, and notes every one it ever made without holding it. */
class ForgetfulSource implements WatchSource {
  revision = 0;
  readonly everMade: WeakRef<KeyRecord>[] = [];
  #kept: RevisionEvents[] = [];
  #taken = 0;

  get compactRevision(): number {
    return Math.max(0, this.revision - KEPT_REVISIONS);
  }

  change(key: string): void {
    const revision = ++this.revision as Revision;
    const record: KeyRecord = {
      key,
      value: new Uint8Array(100),
      createRevision: revision,
      modRevision: revision,
      version: 1,
      session: 0 as SessionId,
      expiresAt: undefined,
      node: 'a',
      time: revision,
    };
    this.everMade.push(new WeakRef(record));
    const event = { type: 'put', record, previous: undefined, cause: 'request' } as const;
    this.#kept.push({ revision, events: [event] });
    if (this.#kept.length > KEPT_REVISIONS) this.#kept.shift();
  }

  takeEvents(): readonly RevisionEvents[] {
    const events = this.#kept.filter(({ revision }) => revision > this.#taken);
    this.#taken = this.revision;
    return events;
  }

  eventsSince(from: number): ReturnType<WatchSource['eventsSince']> {
    const { compactRevision } = this;
    if (from <= compactRevision) return { type: 'compacted', compactRevision };
    const events = this.#kept.filter(({ revision }) => revision >= from).slice(0, 5);
    return { type: 'events', events, next: (events.at(-1)?.revision ?? this.revision) + 1 };
  }
}

/** A client that notes how much it was sent, and throws it away. */
class SlowTarget extends RecordingTarget {
  override send(): void {
    return;
  }
}

test('[WATCH-61] watches that do not read hold on to nothing that is to be sent', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const source = new ForgetfulSource();
  const schedule = new ManualSchedule();
  const hub = new WatchHub(source, {
    defer: schedule.defer,
    windowBytes: 1000,
    sliceBytes: 500,
    maxPayloadBytes: 100_000,
    markEveryRevisions: 50,
  });
  const watchers: Watcher[] = [];
  for (let i = 0; i < 50; i++) {
    const selection = { start: 'k', end: 'l', filter: eventFilter(UNFILTERED) };
    const target = new SlowTarget();
    target.writable = i % 2 === 0;
    // The first reads on; half of the others never read, half never grant credit.
    watchers.push(hub.open(i + 1, selection, 0, target));
  }
  for (let i = 0; i < 2000; i++) {
    source.change(`k/${i % 7}`);
    hub.dispatch();
    hub.credit(watchers[0]!, 1000);
    schedule.drain();
    // Marks are asked for without end.
    for (const watcher of watchers) hub.markAt(watcher, i);
  }
  await nextTurn();
  collectGarbage();
  const held = source.everMade.filter((made) => made.deref() !== undefined).length;
  assert.ok(held >= KEPT_REVISIONS, 'history itself is held');
  assert.ok(held <= 2 * KEPT_REVISIONS, `${held} of 2000 changes are still held`);
  // Used down here, or they would have been collected with what they hold.
  hub.stop();
  assert.ok(watchers.every(({ state }) => state === 'ended'));
});
