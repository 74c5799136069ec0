/** What the ends of sessions, entries and tables bring about. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ConnectionId,
  DisconnectReason,
  EdgeType,
  LockTerms,
  RegistryResult,
  SessionId,
} from '../../src/registry/index.ts';
import { resultOf } from './rig.ts';
import { EDGES, NOBODY, TableRig } from './table-rig.ts';

/** An entry `k`, a peer with one edge to it, and a witness that monitors it. */
class Scene extends TableRig {
  readonly peer: SessionId;
  readonly witness: SessionId;
  readonly opener: SessionId;
  connection: ConnectionId = 0 as ConnectionId;

  constructor(opensLinked = false) {
    super();
    [this.peer, this.witness, this.opener] = [this.session(), this.session(), this.session()];
    this.openTable('t', opensLinked ? this.opener : NOBODY);
    this.store('k', 'v');
    this.connect('monitor', this.witness, 'k');
  }

  /** Whether the entry is there, and what peer and witness are told. */
  outcome(): readonly [entry: boolean, peer: unknown, witness: unknown] {
    const told = (session: SessionId): unknown => {
      const notices = this.notices(session).map(({ type, reason }) => [type, reason]);
      assert.ok(notices.length <= 1, 'told once');
      return notices[0];
    };
    return [this.keysIn().includes('k'), told(this.peer), told(this.witness)];
  }
}

interface Case {
  readonly what: string;
  readonly linked?: boolean;
  /** The edge is made before, unless it is part of what happens. */
  readonly connects?: boolean;
  happen(scene: Scene, edge: EdgeType): void;
  /** What the peer learns if its edge tells it anything. */
  readonly peer?: DisconnectReason;
  /** Whether the entry stays, and what the witness learns if not. */
  readonly stays: (edge: EdgeType) => boolean;
  readonly witness?: (scene: Scene) => DisconnectReason;
}

const binds = (edge: EdgeType): boolean => edge === 'link' || edge === 'backward_link';
const never = (): boolean => false;
const always = (): boolean => true;
const notIfBinding = (edge: EdgeType): boolean => !binds(edge);

const CASES: readonly Case[] = [
  {
    what: 'the peer closes',
    happen: (scene) => scene.close(scene.peer),
    stays: notIfBinding,
    witness: ({ peer }) => ({ type: 'exit', peer, why: 'closed' }),
  },
  {
    what: 'the peer expires',
    happen: (scene) => scene.expire(scene.peer),
    stays: notIfBinding,
    witness: ({ peer }) => ({ type: 'exit', peer, why: 'expired' }),
  },
  {
    what: 'the peer has ended before',
    connects: true,
    happen: (scene, edge) => {
      scene.close(scene.peer);
      scene.connect(edge, scene.peer, 'k');
    },
    stays: notIfBinding,
    witness: ({ peer }) => ({ type: 'exit', peer, why: 'unknown' }),
  },
  {
    what: 'the entry is erased',
    happen: (scene) => scene.erase('k', scene.opener),
    peer: { type: 'erased', by: 3 as SessionId },
    stays: never,
    witness: ({ opener }) => ({ type: 'erased', by: opener }),
  },
  {
    what: 'there is no such entry',
    connects: true,
    happen: (scene, edge) => scene.connect(edge, scene.peer, 'none'),
    peer: { type: 'noentry' },
    stays: always,
  },
  {
    what: 'the table is dropped',
    happen: (scene) => scene.dropTable(),
    peer: { type: 'tableDown', why: 'dropped' },
    stays: never,
    witness: () => ({ type: 'tableDown', why: 'dropped' }),
  },
  {
    what: 'the session the table is linked to closes',
    linked: true,
    happen: (scene) => scene.close(scene.opener),
    peer: { type: 'tableDown', why: 'closed' },
    stays: never,
    witness: () => ({ type: 'tableDown', why: 'closed' }),
  },
  {
    what: 'the session the table is linked to expires',
    linked: true,
    happen: (scene) => scene.expire(scene.opener),
    peer: { type: 'tableDown', why: 'expired' },
    stays: never,
    witness: () => ({ type: 'tableDown', why: 'expired' }),
  },
];

for (const one of CASES) {
  test(`[T6] [T10] [T11] [TABLE-3] each type of edge, when ${one.what}`, () => {
    for (const edge of EDGES) {
      const scene = new Scene(one.linked);
      if (one.connects !== true) scene.connect(edge, scene.peer, 'k');
      one.happen(scene, edge);
      const stays = one.stays(edge);
      const type = edge === 'monitor' ? 'down' : 'exit';
      const peer =
        one.peer === undefined || edge === 'backward_link' ? undefined : [type, one.peer];
      const witness = stays ? undefined : ['down', one.witness!(scene)];
      assert.deepEqual(scene.outcome(), [stays, peer, witness], edge);
      const left = stays ? 1 : 0;
      assert.equal(
        scene.edgeKeys().length,
        left,
        `${edge}: the edge is gone, the witness's as due`,
      );
    }
  });
}

test('[T10] [TABLE-8] an exit notice closes a session that does not trap exits at once', () => {
  const rig = new TableRig();
  const plain = rig.session(false);
  rig.openTable();
  rig.store('k', 'v', 'forward_link', plain);
  rig.connect('monitor', plain, 'k');
  rig.put('mine', '', { ephemeral: true, by: plain });
  rig.token('job', plain);
  const { revision } = resultOf(rig.erase('k'), 'done');
  assert.deepEqual(rig.keys(), ['\0Tt']);
  assert.deepEqual(rig.openSessions(), []);
  assert.equal(rig.events(revision).length, 1);
  const causes = rig.events(revision)[0]!.events.map(({ record, cause }) => [record.key[1], cause]);
  assert.deepEqual(causes, [
    ['t', 'request'],
    ['e', 'request'],
    ['e', 'request'],
    ['o', 'sessionEnded'],
    ['i', 'sessionEnded'],
  ]);
});

test('[T10] a session without an entry to link to is closed too, if it does not trap exits', () => {
  const rig = new TableRig();
  const plain = rig.session(false);
  rig.openTable();
  resultOf(rig.tryConnect('monitor', plain, 'none'), 'connections');
  resultOf(rig.tryConnect('backward_link', plain, 'none'), 'connections');
  assert.deepEqual(rig.openSessions(), [plain]);
  const link = {
    type: 'tableConnect',
    table: 't',
    key: 'none',
    edge: 'link',
    peer: plain,
  } as const;
  const result = rig.do(link, { session: plain, sequence: 1 });
  assert.deepEqual(resultOf(result, 'connections').connections, [rig.index]);
  assert.deepEqual(rig.openSessions(), []);
  assert.deepEqual(rig.keys(), ['\0Tt']);
});

test('[TABLE-8] a down notice closes nobody', () => {
  const rig = new TableRig();
  const plain = rig.session(false);
  rig.openTable();
  rig.store('k', 'v', 'monitor', plain);
  rig.dropTable();
  assert.deepEqual(rig.notices(plain)[0]!.reason, { type: 'tableDown', why: 'dropped' });
  assert.deepEqual(rig.openSessions(), [plain]);
});

test('[T10] an entry that goes with a session passes on why that session ended', () => {
  const rig = new TableRig();
  const [first, second, witness] = [rig.session(), rig.session(false), rig.session()];
  rig.openTable();
  rig.store('a', '', 'link', first);
  rig.store('b', '', 'backward_link', second);
  rig.connect('forward_link', second, 'a');
  rig.connect('link', witness, 'b');
  rig.expire(first);
  assert.deepEqual(rig.entries(), []);
  assert.deepEqual(rig.openSessions(), [witness]);
  assert.deepEqual(rig.notices(witness)[0]!.reason, { type: 'exit', peer: second, why: 'exit' });
});

test('[TABLE-9] two sessions linked through two entries end together', () => {
  for (const doomed of [0, 1]) {
    const rig = new TableRig();
    const sessions = [rig.session(false), rig.session(false)] as const;
    rig.openTable();
    for (const key of ['a', 'b']) {
      rig.store(key, '');
      for (const session of sessions) rig.connect('link', session, key);
      rig.connect('link', sessions[0], key);
    }
    const { revision } = resultOf(rig.close(sessions[doomed]!), 'done');
    assert.deepEqual([rig.openSessions(), rig.keys()], [[], ['\0Tt']]);
    // Two entries and six edges, each once.
    assert.equal(rig.events(revision)[0]!.events.length, 8);
  }
});

test('[TABLE-9] a table whose opener is linked to what is in it goes down once', () => {
  const rig = new TableRig();
  const [opener, witness] = [rig.session(false), rig.session()];
  rig.openTable('t', opener);
  rig.store('k', '', 'link', opener);
  rig.store('l', '', 'monitor', witness);
  rig.erase('k');
  assert.deepEqual([rig.openSessions(), rig.keysIn()], [[witness], []]);
  assert.deepEqual(rig.notices(witness)[0]!.reason, { type: 'tableDown', why: 'exit' });
});

test('[TABLE-9] a chain of 1,000 sessions ends in one revision, in its order', () => {
  const rig = new TableRig({ maxTableRecords: 10_000 });
  rig.openTable();
  const length = 1000;
  const sessions = Array.from({ length }, () => rig.session(false));
  const watcher = rig.session();
  sessions.forEach((session, i) => {
    const key = `${i}`;
    rig.store(key, '', 'backward_link', session);
    if (i + 1 < length) rig.connect('forward_link', sessions[i + 1]!, key);
    rig.connect('monitor', watcher, key);
    rig.put(`own/${i}`, '', { ephemeral: true, by: session });
  });
  const { revision } = resultOf(rig.close(sessions[0]!), 'done');
  assert.deepEqual([rig.openSessions(), rig.entries()], [[watcher], []]);
  assert.equal(rig.events(revision).length, 1);
  const ended = rig.events(revision)[0]!.events.flatMap(({ record }) => {
    return record.key.startsWith('own/') ? [record.key] : [];
  });
  assert.deepEqual(
    ended,
    sessions.map((_, i) => `own/${i}`),
  );
  const reasons = rig.notices(watcher).map(({ reason }) => reason);
  assert.deepEqual(
    reasons,
    sessions.map((peer, i) => ({ type: 'exit', peer, why: i === 0 ? 'closed' : 'exit' })),
  );
});

test('[TABLE-9] who is told to exit ends after those that end anyway, in order of edges', () => {
  const rig = new TableRig();
  const [one, two, late, early, plain] = Array.from({ length: 5 }, () => rig.session(false));
  rig.openTable();
  for (const session of [one, two, late, early, plain]) {
    rig.put(`own/${session}`, '', { ephemeral: true, by: session! });
  }
  rig.store('k', '', 'link', one);
  rig.connect('link', early!, 'k');
  rig.connect('link', late!, 'k');
  rig.expire(two!, one!);
  const { events } = rig.events(rig.machine.revision)[0]!;
  const ended = events.flatMap(({ record: { key } }) => (key.startsWith('own/') ? [key] : []));
  assert.deepEqual(
    ended,
    [one, two, early, late].map((session) => `own/${session}`),
  );
});

test('[TABLE-9] a table goes down entry by entry, and whom that closes ends in that order', () => {
  const rig = new TableRig();
  const sessions = Array.from({ length: 3 }, () => rig.session(false));
  rig.openTable();
  for (const key of ['c', 'a', 'b']) rig.store(key, '', 'link', sessions['abc'.indexOf(key)]);
  for (const session of sessions) rig.put(`own/${session}`, '', { ephemeral: true, by: session });
  rig.dropTable();
  const { events } = rig.events(rig.machine.revision)[0]!;
  const ended = events.flatMap(({ record: { key } }) => (key.startsWith('own/') ? [key] : []));
  assert.deepEqual(
    ended,
    sessions.map((session) => `own/${session}`),
  );
});

test('[TABLE-4] who ends in the same revision is told nothing, whatever the order', () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const rig = new TableRig();
    const sessions = [rig.session(), rig.session()];
    const ending = order.map((at) => sessions[at]!);
    rig.openTable();
    rig.store('k', '', 'link', ending[0]);
    rig.connect('monitor', ending[1]!, 'k');
    rig.expire(...ending);
    assert.deepEqual(rig.keys(), ['\0Tt']);
  }
});

const DELAYED: LockTerms = { mode: 'exclusive', permits: 0, limit: 0, delayMs: 500 };

test('[TABLE-14] a lock-delay also follows the end by an exit notice', () => {
  const rig = new TableRig();
  const [holder, waiter] = [rig.session(false), rig.session()];
  rig.openTable();
  rig.store('k', '', 'link', holder);
  rig.token('job', holder, DELAYED);
  rig.token('job', waiter);
  rig.erase('k');
  assert.deepEqual(rig.openSessions(), [waiter]);
  const held = (): RegistryResult => rig.lock('job', waiter);
  assert.equal(resultOf(held(), 'lock').held, false);
  rig.time += 500;
  assert.equal(resultOf(held(), 'lock').held, true);
});

test('[TABLE-10] a table that goes down takes its entries and edges, and nothing of others', () => {
  const rig = new TableRig();
  const session = rig.session();
  for (const table of ['t', 't\x01', 'tt']) {
    rig.openTable(table);
    rig.store('k', 'v', 'link', session, table);
  }
  const { revision } = resultOf(rig.dropTable(), 'done');
  const { events } = rig.events(revision)[0]!;
  assert.deepEqual(
    events.map(({ type, record }) => [type, record.key.slice(0, 2)]),
    [
      ['delete', '\0t'],
      ['delete', '\0e'],
      ['put', '\0n'],
      ['delete', '\0T'],
    ],
  );
  assert.deepEqual([rig.keysIn(), rig.keysIn('tt'), rig.keysIn('t\x01')], [[], ['k'], ['k']]);
  assert.equal(rig.edgeKeys().length, 2);
  // A table of that name, opened anew, begins empty and without edges.
  rig.openTable();
  assert.deepEqual(rig.entries(), []);
});
