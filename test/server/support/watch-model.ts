import assert from 'node:assert/strict';
import type {
  RegistryLimits,
  RegistryStateMachine,
  RevisionEvents,
} from '../../../src/registry/index.ts';
import { WatchHub, type WatchHubOptions } from '../../../src/server/watch-hub.ts';
import { UNFILTERED, type WatchFilter } from '../../../src/protocol/index.ts';
import { eventFilter } from '../../../src/server/event-filter.ts';
import type { KeyRange } from '../../../src/server/range-index.ts';
import type { Watcher } from '../../../src/server/watcher.ts';
import { contains, describeEvent, describeEvents, registryWith, wants } from './registry.ts';
import { ManualSchedule } from './schedule.ts';
import { RecordingTarget } from './watch-client.ts';

export const HUB_OPTIONS: Omit<WatchHubOptions, 'defer'> = {
  windowBytes: 2000,
  sliceBytes: 500,
  maxPayloadBytes: 100_000,
  markEveryRevisions: 50,
};

export interface WatchRun {
  readonly range: KeyRange;
  readonly filter: WatchFilter;
  /** First revision the watch owes us. */
  from: number;
  readonly target: RecordingTarget;
  readonly watcher: Watcher;
  /** A mark was asked for at this revision; 0: none. */
  markAsked: number;
}

/**
 * A hub over a real registry, beside a second registry that forgets nothing: what that one did is
 * what watchers must have been told.
 */
export class WatchModel {
  readonly schedule: ManualSchedule = new ManualSchedule();
  readonly registry: RegistryStateMachine;
  readonly hub: WatchHub;
  readonly everything: RevisionEvents[] = [];
  readonly runs: WatchRun[] = [];
  readonly #reference = registryWith({
    historyRevisions: 1_000_000,
    historyBytes: 2 ** 40,
    historyMs: 2 ** 40,
  });
  #index = 0;
  #nextId = 1;

  constructor(limits: Partial<RegistryLimits> = {}, options: Partial<WatchHubOptions> = {}) {
    this.registry = registryWith(limits);
    const { defer } = this.schedule;
    this.hub = new WatchHub(this.registry, { ...HUB_OPTIONS, defer, ...options });
  }

  apply(...commands: readonly Uint8Array[]): void {
    for (const command of commands) {
      const context = { index: ++this.#index, term: 1, time: this.#index * 10 };
      this.registry.apply(command, context);
      this.#reference.apply(command, context);
      this.everything.push(...this.#reference.takeEvents());
    }
  }

  /** The events since the last dispatch never reach the hub, as when a snapshot replaced them. */
  loseEvents(): void {
    this.registry.takeEvents();
  }

  watch(range: KeyRange, from = 0, filter: WatchFilter = UNFILTERED): WatchRun {
    const target = new RecordingTarget();
    const selection = { ...range, filter: eventFilter(filter) };
    const watcher = this.hub.open(this.#nextId++, selection, from, target);
    const first = from === 0 ? this.registry.revision + 1 : from;
    const run = { range, filter, from: first, target, watcher, markAsked: 0 };
    this.runs.push(run);
    return run;
  }

  /** The consumer reads everything and says so. */
  acknowledge(run: WatchRun): void {
    const bytes = run.target.unacknowledged;
    run.target.unacknowledged = 0;
    this.hub.credit(run.watcher, bytes);
  }

  askForMark(run: WatchRun, revision: number): void {
    run.markAsked = Math.max(run.markAsked, revision);
    this.hub.markAt(run.watcher, revision);
  }

  /** Every consumer reads until nothing more comes. */
  settle(): void {
    for (const run of this.runs) {
      run.target.writable = true;
      this.hub.wake(run.watcher);
    }
    this.hub.dispatch();
    let before: number;
    do {
      before = this.#received();
      for (const run of this.runs) this.acknowledge(run);
      this.schedule.drain();
    } while (this.#received() !== before);
  }

  /** What this watch must have been told of revisions up to `through`. */
  expected(run: WatchRun, through: number): string[] {
    return this.everything
      .filter(({ revision }) => revision >= run.from && revision <= through)
      .flatMap(({ revision, events }) =>
        events
          .filter((event) => contains(run.range, event.record.key) && wants(run.filter, event))
          .map((event) => describeEvent(revision, event, run.filter.previous)),
      );
  }

  /** Nothing is missing, repeated or out of order up to where this watch came. */
  check(run: WatchRun): void {
    const { target } = run;
    for (const mark of target.marks) {
      const before = describeEvents(target.revisions.slice(0, mark.told), run.filter.previous);
      assert.deepEqual(before, this.expected(run, mark.revision), 'a mark tells the truth');
    }
    const told = describeEvents(target.revisions, run.filter.previous);
    if (target.ended === undefined) {
      assert.deepEqual(told, this.expected(run, this.registry.revision));
      const due = run.markAsked > 0 && run.markAsked <= this.registry.revision;
      assert.ok(!due || target.newest >= run.markAsked, 'a mark that was asked for comes');
      return;
    }
    const { code, resumeFrom } = target.ended;
    const asked = Math.max(run.from - 1, target.newest);
    if (code === 'compacted') {
      // What is given up is exactly what history had given up by then.
      assert.ok(resumeFrom > asked + 1 && resumeFrom <= this.registry.compactRevision + 1);
      assert.deepEqual(told, this.expected(run, asked));
    } else {
      assert.deepEqual(told, this.expected(run, resumeFrom - 1));
    }
  }

  #received(): number {
    return this.runs.reduce((sum, run) => sum + run.target.payloads.length, 0);
  }
}
