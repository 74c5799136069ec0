/** Named maps at the level of single commands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MapCommand, RegistryResult, Revision, SessionId } from '../../src/registry/index.ts';
import { bytes, refused, resultOf, Rig, textOf } from './rig.ts';

const ANY = 0 as Revision;
const NOBODY = 0 as SessionId;

class MapRig extends Rig {
  as(session: SessionId, command: MapCommand): RegistryResult {
    return this.do(command, { session });
  }

  openMap(map: string, by: SessionId, persist = true, prune = false): Revision {
    const result = this.as(by, { type: 'openMap', map, created: ANY, persist, prune });
    return resultOf(result, 'map').created;
  }

  mapPut(map: string, key: string, text: string, by = NOBODY, created = ANY): RegistryResult {
    return this.as(by, { type: 'mapPut', map, created, key, value: bytes(text) });
  }

  mapRemove(map: string, key: string, created = ANY): RegistryResult {
    return this.as(NOBODY, { type: 'mapRemove', map, created, key });
  }

  drop(map: string, created = ANY): RegistryResult {
    return this.as(NOBODY, { type: 'dropMap', map, created });
  }

  detach(map: string, by: SessionId): RegistryResult {
    return this.as(by, { type: 'detachMap', map, created: ANY });
  }

  value(map: string, key: string): string | undefined {
    return textOf(this.get(`\0m${map}\0${key}`));
  }

  /** Of the last revision, as `type key`. */
  lastEvents(): string[] {
    const { revision } = this.stats();
    const [last] = this.events(revision);
    return last === undefined ? [] : last.events.map(({ type, record }) => `${type} ${record.key}`);
  }
}

test('[B1] [MAP-1] opening again finds the map; other options than its own are refused', () => {
  const rig = new MapRig();
  const [one, two] = [rig.open(), rig.open()];
  const created = rig.openMap('flags', one);
  assert.deepEqual(rig.lastEvents(), [
    'put \0mflags',
    'put \0Mflags',
    'put \0oflags\0' + one.toString(16).padStart(16, '0'),
  ]);
  const again = rig.as(two, {
    type: 'openMap',
    map: 'flags',
    created,
    persist: true,
    prune: false,
  });
  const { existed, ...same } = resultOf(again, 'map');
  assert.deepEqual([existed, same.created], [true, created]);
  const before = rig.stats().revision;
  rig.openMap('flags', two);
  assert.equal(rig.stats().revision, before, 'nothing changes the second time');
  const wanted = { type: 'openMap', map: 'flags', created: ANY } as const;
  assert.match(
    refused(rig.as(one, { ...wanted, persist: true, prune: true }), 'map-conflict'),
    /"flags": it was created with prune false, not true/,
  );
  assert.match(
    refused(rig.as(one, { ...wanted, persist: false, prune: false }), 'map-conflict'),
    /persist true, not false/,
  );
  const needsSession = rig.as(NOBODY, { ...wanted, persist: true, prune: false });
  assert.match(refused(needsSession, 'invalid-argument'), /for a session/);
});

test('[B3] [B4] [MAP-2] put and remove change one entry; removing nothing changes nothing', () => {
  const rig = new MapRig();
  rig.openMap('flags', rig.open());
  rig.openMap('flag', rig.open());
  const { view } = resultOf(rig.mapPut('flags', 'a', 'one'), 'key');
  assert.equal(textOf(view.record), 'one');
  rig.mapPut('flags', `a/${'0'.repeat(16)}`, 'no lock queue');
  assert.equal(rig.value('flag', 's\0a'), undefined);
  assert.equal(textOf(resultOf(rig.mapRemove('flags', 'a'), 'key').view.record), 'one');
  const { revision } = rig.stats();
  const nothing = resultOf(rig.mapRemove('flags', 'a'), 'key');
  assert.deepEqual([nothing.revision, nothing.view.record], [revision, undefined]);
  assert.equal(rig.stats().revision, revision);
  assert.equal(rig.value('flags', `a/${'0'.repeat(16)}`), 'no lock queue');
});

test('[B12] [MAP-3] what is not there, or was made anew, is refused as no-such-map', () => {
  const rig = new MapRig();
  const session = rig.open();
  const absent = [
    rig.mapPut('flags', 'a', ''),
    rig.mapRemove('flags', 'a'),
    rig.drop('flags'),
    rig.detach('flags', session),
    rig.as(session, {
      type: 'openMap',
      map: 'flags',
      created: 3 as Revision,
      persist: true,
      prune: false,
    }),
  ];
  for (const result of absent) assert.match(refused(result, 'no-such-map'), /"flags"/);
  const first = rig.openMap('flags', session);
  rig.drop('flags', first);
  const second = rig.openMap('flags', session);
  assert.ok(second > first);
  for (const result of [
    rig.mapPut('flags', 'a', '', NOBODY, first),
    rig.mapRemove('flags', 'a', first),
    rig.drop('flags', first),
  ]) {
    assert.match(refused(result, 'no-such-map'), new RegExp(`a new one since ${second}`));
  }
  resultOf(rig.mapPut('flags', 'a', '', NOBODY, second), 'key');
});

test('[B2] [MAP-4] dropping removes map, entries and openers in one revision', () => {
  const rig = new MapRig();
  const [one, two] = [rig.open(), rig.open()];
  rig.openMap('flags', one);
  rig.openMap('flags', two);
  rig.openMap('flags2', one);
  rig.mapPut('flags2', 'a', 'stays');
  for (const key of ['b', 'a']) rig.mapPut('flags', key, '');
  rig.mapRemove('flags', 'b');
  resultOf(rig.drop('flags'), 'done');
  const openers = [one, two].map((id) => `delete \0oflags\0${id.toString(16).padStart(16, '0')}`);
  assert.deepEqual(rig.lastEvents(), [
    'delete \0mflags',
    'delete \0mflags\0a',
    'delete \0Mflags',
    ...openers,
  ]);
  assert.equal(rig.value('flags2', 'a'), 'stays');
});

test('[B11] [MAP-5] a map that is not to persist goes with the last who has it open', () => {
  for (const how of ['detach', 'close', 'expire'] as const) {
    const rig = new MapRig();
    const [one, two, three] = [rig.open(), rig.open(), rig.open()];
    const end = (session: SessionId): void => {
      if (how === 'detach') rig.detach('m', session);
      else if (how === 'close') rig.close(session);
      else rig.do({ type: 'expireSessions', sessions: [session] });
    };
    for (const session of [one, two]) rig.openMap('m', session, false);
    rig.openMap('kept', one, true);
    rig.mapPut('m', 'a', 'here', three);
    end(one);
    assert.equal(rig.value('m', 'a'), 'here', how);
    rig.detach('m', three);
    assert.equal(rig.value('m', 'a'), 'here', 'one that never opened it detaches from nothing');
    end(two);
    assert.deepEqual(
      rig.keys().filter((key) => !key.includes('kept')),
      [],
      how,
    );
    refused(rig.mapPut('m', 'a', ''), 'no-such-map');
    resultOf(rig.mapPut('kept', 'a', ''), 'key');
  }
});

test('[B11] [MAP-5] several openers that end at once take the map along, once', () => {
  const rig = new MapRig();
  const sessions = [rig.open(), rig.open()];
  for (const session of sessions) rig.openMap('m', session, false, true);
  for (const session of sessions) rig.mapPut('m', `of ${session}`, '', session);
  rig.do({ type: 'expireSessions', sessions });
  const events = rig.lastEvents();
  assert.equal(new Set(events).size, events.length);
  assert.deepEqual(rig.keys(), []);
});

test('[B10] [MAP-6] where a map prunes, entries go with the session that put them last', () => {
  const rig = new MapRig();
  const [one, two] = [rig.open(), rig.open()];
  rig.openMap('m', one, true, true);
  for (const key of ['a', 'b']) rig.mapPut('m', key, 'of one', one);
  rig.mapPut('m', 'b', 'of two', two);
  const message = refused(rig.mapPut('m', 'c', ''), 'invalid-argument');
  assert.match(message, /"m" prunes/);
  rig.close(one);
  assert.deepEqual([rig.value('m', 'a'), rig.value('m', 'b')], [undefined, 'of two']);
  rig.close(two);
  assert.equal(rig.value('m', 'b'), undefined);
  const three = rig.open();
  rig.openMap('plain', three);
  rig.mapPut('plain', 'a', 'of nobody', three);
  rig.close(three);
  assert.equal(rig.value('plain', 'a'), 'of nobody');
});

test('[MAP-7] names, keys, values and sizes beyond the limits are refused with the rule', () => {
  const rig = new MapRig({ maxKeyBytes: 4, maxValueBytes: 3, maxMapEntries: 2 });
  const session = rig.open();
  for (const map of ['', 'a\0b', 'x'.repeat(256)]) {
    const command = { type: 'openMap', map, created: ANY, persist: true, prune: false } as const;
    assert.match(refused(rig.as(session, command), 'invalid-argument'), /name has 1 to 255 bytes/);
  }
  rig.openMap('m'.repeat(255), session);
  rig.openMap('m', session);
  refused(rig.mapPut('m', '', ''), 'invalid-key');
  assert.match(refused(rig.mapPut('m', '12345', ''), 'too-large'), /maxKeyBytes/);
  assert.match(refused(rig.mapRemove('m', '12345'), 'too-large'), /maxKeyBytes/);
  assert.match(refused(rig.mapPut('m', 'a', '1234'), 'too-large'), /maxValueBytes/);
  rig.mapPut('m', 'a', '');
  rig.mapPut('m', 'b', '');
  assert.match(refused(rig.mapPut('m', 'c', ''), 'too-large'), /"m" has 2 entries.*maxMapEntries/);
  resultOf(rig.mapPut('m', 'a', 'new'), 'key');
  rig.mapRemove('m', 'b');
  resultOf(rig.mapPut('m', 'c', ''), 'key');
  const restored = rig.restored(rig.snapshot());
  const full = { type: 'mapPut', map: 'm', created: ANY, key: 'd', value: bytes('') } as const;
  assert.match(refused(restored.do(full), 'too-large'), /maxMapEntries/);
});

test('[MAP-8] a retry of a map command is answered as it was, also from a snapshot', () => {
  const rig = new MapRig();
  const session = rig.open();
  const header = { session, sequence: 1, acknowledged: 0 };
  const open = { type: 'openMap', map: 'm', created: ANY, persist: true, prune: false } as const;
  const first = rig.do(open, header);
  rig.drop('m');
  assert.deepEqual(rig.do(open, header), first);
  assert.deepEqual(rig.restored(rig.snapshot()).do(open, header), first);
});
