/** Random commands on maps against a model that keeps them as plain objects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { unreachable } from '../../src/base/index.ts';
import type { MapCommand, RegistryCommand, SessionId } from '../../src/registry/index.ts';
import { anyMapCommand } from './map-generate.ts';
import { Rig, textOf } from './rig.ts';

type Step = MapCommand | Extract<RegistryCommand, { type: 'closeSession' | 'expireSessions' }>;

interface ModelMap {
  readonly created: number;
  readonly persist: boolean;
  readonly prune: boolean;
  readonly entries: Map<string, { readonly text: string; readonly owner: number }>;
  readonly openers: Set<number>;
}

const MAX_ENTRIES = 3;
/** Sessions opened by the first commands. */
const SESSIONS = 4;

/** Says by a word what becomes of each command. */
class Model {
  readonly sessions = new Set<number>();
  readonly maps = new Map<string, ModelMap>();

  do(command: Step, by: number, next: number): string {
    if (by !== 0 && !this.sessions.has(by)) return 'session-expired';
    switch (command.type) {
      case 'closeSession':
        return this.#end([command.session]) > 0 ? 'done' : 'session-expired';
      case 'expireSessions':
        this.#end(command.sessions.toSorted((a, b) => a - b));
        return 'done';
      case 'openMap':
        return this.#openMap(command, by, next);
      case 'detachMap':
      case 'dropMap':
      case 'mapPut':
      case 'mapRemove':
        return this.#change(command, by);
      default:
        return unreachable(command);
    }
  }

  #openMap(
    { map: name, created, persist, prune }: Extract<RegistryCommand, { type: 'openMap' }>,
    by: number,
    next: number,
  ): string {
    if (by === 0) return 'invalid-argument';
    const there = this.maps.get(name);
    if (there === undefined && created !== 0) return 'no-such-map';
    if (there !== undefined && created !== 0 && created !== there.created) return 'no-such-map';
    if (there !== undefined && (there.persist !== persist || there.prune !== prune)) {
      return 'map-conflict';
    }
    const nothing = { entries: new Map(), openers: new Set<number>() };
    const map = there ?? { created: next, persist, prune, ...nothing };
    map.openers.add(by);
    this.maps.set(name, map);
    return 'map';
  }

  #change(
    command: Extract<RegistryCommand, { type: 'detachMap' | 'dropMap' | 'mapPut' | 'mapRemove' }>,
    by: number,
  ): string {
    if (command.type === 'detachMap' && by === 0) return 'invalid-argument';
    const map = this.maps.get(command.map);
    if (map === undefined) return 'no-such-map';
    if (command.created !== 0 && command.created !== map.created) return 'no-such-map';
    switch (command.type) {
      case 'detachMap':
        if (map.openers.delete(by) && map.openers.size === 0 && !map.persist) {
          this.maps.delete(command.map);
        }
        return 'done';
      case 'dropMap':
        this.maps.delete(command.map);
        return 'done';
      case 'mapRemove':
        map.entries.delete(command.key);
        return 'key';
      case 'mapPut': {
        if (map.prune && by === 0) return 'invalid-argument';
        const full = !map.entries.has(command.key) && map.entries.size >= MAX_ENTRIES;
        if (full) return 'too-large';
        const text = Buffer.from(command.value).toString();
        map.entries.set(command.key, { text, owner: map.prune ? by : 0 });
        return 'key';
      }
      default:
        return unreachable(command);
    }
  }

  #end(ids: readonly number[]): number {
    let ended = 0;
    for (const id of ids) {
      if (!this.sessions.delete(id)) continue;
      ended++;
      for (const map of this.maps.values()) {
        for (const [key, { owner }] of map.entries) if (owner === id) map.entries.delete(key);
      }
      for (const [name, map] of this.maps) {
        if (map.openers.delete(id) && map.openers.size === 0 && !map.persist) {
          this.maps.delete(name);
        }
      }
    }
    return ended;
  }

  /** Everything there is, one line each. */
  lines(): string[] {
    const lines: string[] = [];
    for (const [name, { created, entries, openers }] of this.maps) {
      lines.push(`\0M${name} ${created}`, `\0m${name} ${created}`);
      for (const [key, { text, owner }] of entries)
        lines.push(`\0m${name}\0${key} ${text} ${owner}`);
      for (const id of openers)
        lines.push(`\0o${name}\0${id.toString(16).padStart(16, '0')} ${id}`);
    }
    return lines.toSorted();
  }
}

function linesOf(rig: Rig): string[] {
  const lines = rig.list().map(({ record }) => {
    const { key, session, createRevision } = record!;
    if (key.startsWith('\0o')) return `${key} ${session}`;
    if (!key.includes('\0', 2)) return `${key} ${createRevision}`;
    return `${key} ${textOf(record)} ${session}`;
  });
  return lines.toSorted();
}

const session = fc.integer({ min: 1, max: SESSIONS }).map((id) => id as SessionId);
const command: fc.Arbitrary<Step> = fc.oneof(
  { weight: 22, arbitrary: anyMapCommand },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('closeSession' as const), session }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('expireSessions' as const),
      sessions: fc.array(session, { maxLength: 3 }),
    }),
  },
);
const by = fc.oneof({ weight: 5, arbitrary: session }, fc.constant(0 as SessionId));
const log = fc.array(fc.tuple(by, command), { maxLength: 60, size: 'max' });

test('[MAP-9] maps do what a model of plain objects does, on every replica alike', () => {
  fc.assert(
    fc.property(log, fc.nat({ max: 60 }), (steps, cutAt) => {
      const rig = new Rig({ maxMapEntries: MAX_ENTRIES });
      const model = new Model();
      for (let i = 0; i < SESSIONS; i++) model.sessions.add(rig.open());
      let replica: Rig | undefined;
      for (const [i, [acting, step]] of steps.entries()) {
        if (i === cutAt) replica = rig.restored(rig.snapshot());
        const next = rig.stats().revision + 1;
        const result = rig.do(step, { session: acting });
        const word = result.type === 'error' ? result.code : result.type;
        assert.equal(word, model.do(step, acting, next), JSON.stringify(step));
        assert.deepEqual(linesOf(rig), model.lines());
        replica?.do(step, { session: acting });
      }
      if (replica === undefined) return;
      assert.ok(replica.snapshot().equals(rig.snapshot()));
      assert.equal(replica.machine.snapshotBytes, rig.machine.snapshotBytes);
    }),
    { numRuns: 150 },
  );
});
