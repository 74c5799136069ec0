/** Waits for places in locks' queues: who is told, when, and who is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeAnswer, decodeResult, type Request } from '../../src/protocol/index.ts';
import {
  encodeCommand,
  EXCLUSIVE,
  type LockPlaceRef,
  type LockTerms,
  type RegistryCommand,
  type RegistryStateMachine,
  type SessionId,
} from '../../src/registry/index.ts';
import { Grants, type GrantWait } from '../../src/server/grants.ts';
import { registryWith } from './support/registry.ts';
import { delivered, TestService, type TestChannel } from './support/service.ts';

const NONE = new Uint8Array(0);
const SHARED: LockTerms = { ...EXCLUSIVE, mode: 'shared' };

function commandOf(command: RegistryCommand, session: number): Uint8Array {
  const header = { session: session as SessionId, sequence: 0, acknowledged: 0, node: '' };
  return encodeCommand(header, command);
}

/** Commands applied one after another. */
class Log {
  readonly registry: RegistryStateMachine;
  #index = 0;

  constructor(registry: RegistryStateMachine) {
    this.registry = registry;
  }

  do(command: RegistryCommand, session = 0): ReturnType<typeof decodeResult> {
    const context = { index: ++this.#index, term: 1, time: this.#index };
    return decodeResult(this.registry.apply(commandOf(command, session), context));
  }

  open(): SessionId {
    const asked = { ttlMs: 600_000, label: '', metadata: NONE, trapExits: false } as const;
    const result = this.do({ type: 'openSession', ...asked });
    assert.ok(result.type === 'session');
    return result.session;
  }

  join(name: string, session: SessionId, terms = EXCLUSIVE): LockPlaceRef {
    const result = this.do({ type: 'lock', name, wait: true, metadata: NONE, terms }, session);
    assert.ok(result.type === 'lock');
    return { name, session, token: result.token };
  }

  leave({ name, session, token }: LockPlaceRef): void {
    this.do({ type: 'unlock', name, session, token });
  }
}

/** A registry, those who wait in it, and who of them has been told. */
class Model {
  readonly log: Log = new Log(registryWith({}));
  readonly grants: Grants = new Grants(this.log.registry);
  readonly told: LockPlaceRef[] = [];
  readonly waits: GrantWait[] = [];

  constructor() {
    this.batch();
  }

  readonly wait = (place: LockPlaceRef): void => {
    const wait = {
      place,
      decided: () => void this.told.push(place),
      stopped: () => undefined,
    };
    this.waits.push(wait);
    this.grants.open(wait);
  };

  readonly batch = (): void => {
    this.grants.applied(this.log.registry.takeEvents());
  };
}

test('[SRV-24] a release tells the one it lets in, however many wait', () => {
  const { log, grants, told, wait, batch } = new Model();
  const places = Array.from({ length: 100 }, () => log.join('n', log.open()));
  // In any order: some of them wait here only since they lost another node.
  for (const place of places.toReversed()) wait(place);
  batch();
  assert.deepEqual(told, places.slice(0, 1), 'the holder');
  for (const next of [1, 2, 3]) {
    log.leave(places[next - 1]!);
    batch();
    assert.deepEqual(told.slice(next), [places[next]]);
  }
  const readers = Array.from({ length: 3 }, () => log.join('m', log.open(), SHARED));
  for (const reader of readers) wait(reader);
  assert.deepEqual(told.slice(4), readers, 'at once, when it is held by then');
  grants.stop('over');
});

test('[SRV-24] a release looks at those it lets in and one more', () => {
  const { log, wait, batch } = new Model();
  const places = Array.from({ length: 50 }, () => log.join('n', log.open()));
  for (const place of places) wait(place);
  batch();
  const { registry } = log;
  let looks = 0;
  const standingOf = registry.standingOf.bind(registry);
  registry.standingOf = (place) => {
    looks++;
    return standingOf(place);
  };
  log.leave(places[0]!);
  batch();
  assert.equal(looks, 2);
  log.do({ type: 'put', key: 'n', value: NONE, ttlMs: 0, ephemeral: false, lock: false });
  batch();
  assert.equal(looks, 2, 'nothing happened in the queue');
});

test('[SRV-22] a wait that is dropped while another is told hears nothing', () => {
  const { log, grants, batch } = new Model();
  const writer = log.join('m', log.open());
  const told: LockPlaceRef[] = [];
  const waits = [0, 1].map((which): GrantWait => {
    const place = log.join('m', log.open(), SHARED);
    const decided = (): void => {
      told.push(place);
      grants.drop(waits[1 - which]!);
    };
    return { place, decided, stopped: () => undefined };
  });
  for (const wait of waits) grants.open(wait);
  log.leave(writer);
  batch();
  assert.deepEqual(told, [waits[0]!.place]);
});

test('[SRV-25] a place that goes before its turn is told of, wherever it stands', () => {
  const { log, told, wait, batch } = new Model();
  const sessions = [log.open(), log.open(), log.open()] as const;
  const places = sessions.map((session) => log.join('n', session));
  for (const place of places.slice(1)) wait(place);
  log.do({ type: 'closeSession', session: sessions[2] });
  batch();
  assert.deepEqual(told, [places[2]]);
});

test('[SRV-25] who waits on a node that lags is told once it has caught up', () => {
  const { log, told, wait, batch } = new Model();
  const ahead = new Log(registryWith({}));
  const name = 'n';
  for (const one of [log, ahead]) one.join(name, one.open());
  const place = ahead.join(name, ahead.open());
  wait(place);
  batch();
  assert.deepEqual(told, [], 'a place not heard of yet is not gone');
  assert.deepEqual(log.join(name, log.open()), place);
  batch();
  assert.deepEqual(told, []);
  log.leave({ name, session: 1 as SessionId, token: (place.token - 1) as typeof place.token });
  batch();
  assert.deepEqual(told, [place]);
});

test('[SRV-25] a state replaced by a snapshot is looked at as a whole', () => {
  const { log, grants, told, wait, batch } = new Model();
  const places = [0, 1, 2].map(() => log.join('n', log.open()));
  for (const place of places.slice(1)) wait(place);
  batch();
  const ahead = new Log(registryWith({}));
  for (const place of [0, 1, 2].map(() => ahead.join('n', ahead.open()))) {
    if (place.token < places[2]!.token) ahead.leave(place);
  }
  const restorer = log.registry.restorer();
  for (const chunk of ahead.registry.snapshotChunks()) restorer.push(chunk);
  restorer.finish();
  grants.applied(undefined);
  assert.deepEqual(told, places.slice(1), 'one is gone, one holds');
});

test('[SRV-24] whatever joins, leaves and ends, who waits is told when it is decided', () => {
  const step = fc.record({
    what: fc.constantFrom('join', 'join', 'join', 'leave', 'end', 'drop', 'batch'),
    which: fc.nat(20),
    name: fc.constantFrom('a', 'b'),
    shared: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model();
      const { log, told, waits } = model;
      const places: LockPlaceRef[] = [];
      for (const { what, which, name, shared } of steps) {
        const place = places[which % Math.max(1, places.length)];
        if (what === 'join') {
          const joined = log.join(name, log.open(), shared ? SHARED : EXCLUSIVE);
          places.push(joined);
          if (which % 4 > 0) model.wait(joined);
        } else if (place !== undefined && what === 'leave') log.leave(place);
        else if (place !== undefined && what === 'end') {
          log.do({ type: 'closeSession', session: place.session });
        } else if (what === 'drop') {
          const [wait] = waits.splice(which % Math.max(1, waits.length), 1);
          if (wait !== undefined) model.grants.drop(wait);
        } else model.batch();
      }
      model.batch();
      for (const { place } of waits) {
        const times = told.filter((one) => one === place).length;
        assert.equal(times, log.registry.standingOf(place) === 'waits' ? 0 : 1);
      }
    }),
    { numRuns: 200 },
  );
});

function waitFor(id: number, place: LockPlaceRef): Request {
  return { type: 'awaitGrant', id, ...place };
}

interface Waiting {
  readonly service: TestService;
  readonly client: TestChannel;
  readonly log: Log;
  readonly holder: LockPlaceRef;
  readonly next: LockPlaceRef;
}

/** One holds, one waits. */
function waiting(setup: ConstructorParameters<typeof TestService>[0] = {}): Waiting {
  const service = new TestService(setup);
  const log = new Log(service.node.registry);
  const [holder, next] = [log.join('n', log.open()), log.join('n', log.open())];
  service.node.turn();
  return { service, client: service.open(), log, holder, next };
}

test('[SRV-23] a wait for a grant is answered with how the place stands', async () => {
  const { service, client, log, holder, next } = waiting();
  client.send(waitFor(1, next));
  await delivered();
  assert.deepEqual(client.responses, []);
  log.leave(holder);
  service.node.turn();
  client.send(waitFor(2, holder));
  await delivered();
  const granted = client.single(1);
  assert.ok(granted?.type === 'ok');
  const { revision } = log.registry;
  assert.deepEqual(decodeAnswer(granted.payload), { type: 'lockPlace', revision, held: true });
  const gone = client.single(2);
  assert.ok(gone?.type === 'ok');
  const refusal = decodeAnswer(gone.payload);
  assert.ok(refusal.type === 'error' && refusal.code === 'not-held');
});

test('[SRV-23] a wait for a grant is cancelled, refused and ended as a watch is', async () => {
  const { service, client, log, holder, next } = waiting({ service: { maxWatchesPerClient: 3 } });
  client.send(...[1, 2, 3, 4].map((id) => waitFor(id, next)), { type: 'cancel', id: 2 });
  client.send(waitFor(5, { ...next, name: '' }), { type: 'cancel', id: 3 });
  service.service.quarantine('it is not to be trusted');
  client.send(waitFor(6, next));
  service.service.quarantine(undefined);
  client.send(waitFor(7, next));
  service.service.stopAccepting();
  await delivered();
  log.leave(holder);
  service.node.turn();
  await delivered();
  const codes = [1, 2, 3, 4, 5, 6, 7].map((id) => {
    const response = client.single(id);
    return response?.type === 'error' ? `${response.code} ${response.outcome}` : response?.type;
  });
  assert.deepEqual(codes, [
    'stopped not-applied',
    'aborted not-applied',
    'aborted not-applied',
    'overloaded not-applied',
    'invalid-argument not-applied',
    'quarantined not-applied',
    'stopped not-applied',
  ]);
});
