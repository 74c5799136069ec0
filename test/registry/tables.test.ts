import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ConnectionId,
  RegistryCommand,
  SessionId,
  TxnCommand,
  TxnOp,
} from '../../src/registry/index.ts';
import { bytes, NONE, refused, resultOf, Rig, textOf } from './rig.ts';
import { EDGES, NOBODY, TableRig } from './table-rig.ts';

/** An open table `t` with an entry `k`. */
function furnished(limits = {}): TableRig {
  const rig = new TableRig(limits);
  rig.openTable();
  rig.store('k', 'v');
  return rig;
}

test('[T1] [TABLE-1] opening a table is idempotent: whoever opens it first decides', () => {
  const rig = new TableRig();
  const session = rig.session();
  assert.equal(resultOf(rig.openTable('t', session), 'table').existed, false);
  const { revision } = rig.machine;
  assert.equal(resultOf(rig.openTable('t'), 'table').existed, true);
  assert.equal(resultOf(rig.openTable('t', rig.session()), 'table').existed, true);
  assert.equal(rig.machine.revision, revision);
  rig.close(session);
  refused(rig.store('k', 'v'), 'no-such-table');
  assert.equal(resultOf(rig.openTable('t'), 'table').existed, false);
});

test('[T1] a table is linked to the session that opens it, and to nobody unless asked', () => {
  const rig = new TableRig();
  const session = rig.session();
  rig.do({ type: 'openTable', table: 'free', linked: false }, { session });
  rig.openTable('linked', session);
  rig.store('k', 'v', undefined, undefined, 'free');
  rig.store('k', 'v', undefined, undefined, 'linked');
  rig.close(session);
  assert.deepEqual([rig.keysIn('free'), rig.keysIn('linked')], [['k'], []]);
  const linked = rig.do({ type: 'openTable', table: 'x', linked: true });
  assert.match(refused(linked, 'invalid-argument'), /needs a session/);
});

test('[T2] storing puts only where nothing is, and else tells what is there', () => {
  const rig = new TableRig();
  rig.openTable();
  const first = resultOf(rig.store('k', 'one'), 'stored');
  assert.deepEqual([first.stored, textOf(first.record)], [true, 'one']);
  const second = resultOf(rig.store('k', 'two'), 'stored');
  assert.deepEqual([second.stored, textOf(second.record)], [false, 'one']);
  assert.equal(second.record.modRevision, first.revision);
  assert.equal(second.revision, first.revision);
  rig.erase('k');
  assert.equal(resultOf(rig.store('k', 'two'), 'stored').stored, true);
});

test('[T3] [TABLE-2] storing connects in the same command, and makes no edge when it fails', () => {
  const rig = new TableRig();
  const [one, two] = [rig.session(), rig.session()];
  rig.openTable();
  const stored = resultOf(rig.store('k', 'v', 'monitor', one), 'stored');
  assert.equal(stored.connection, rig.index);
  assert.deepEqual(
    rig.events(stored.revision)[0]!.events.map(({ record }) => record.key),
    ['\0tt\0k', `\0et\0\0\x01k${rig.index.toString(16).padStart(16, '0')}`],
  );
  const failed = resultOf(rig.store('k', 'w', 'link', two), 'stored');
  assert.deepEqual([failed.stored, failed.connection], [false, undefined]);
  assert.equal(rig.machine.revision, stored.revision);
  rig.close(two);
  assert.deepEqual(rig.entries(), [['k', 'v']]);
});

test('[T4] entries are found by key, and listed in key order, apart from other tables', () => {
  const rig = new TableRig();
  for (const table of ['t', 'tt', 't/']) rig.openTable(table);
  const keys = ['b', 'a', '\0', 'ab', `a/${'0'.repeat(16)}`, '\xff', 'a\0'];
  for (const key of keys) rig.store(key, `of ${key}`);
  rig.store('other', 'x', undefined, undefined, 'tt');
  assert.deepEqual(
    rig.entries(),
    keys.toSorted().map((key) => [key, `of ${key}`]),
  );
  assert.equal(textOf(rig.get('\0tt\0ab')), 'of ab');
  assert.equal(rig.get('\0tt\0none'), undefined);
  assert.deepEqual([rig.keysIn('tt'), rig.keysIn('t/')], [['other'], []]);
});

test('[T5] erasing takes the entry, names the eraser, and a missing key is fine', () => {
  const rig = furnished();
  const [watcher, eraser] = [rig.session(), rig.session()];
  rig.connect('monitor', watcher, 'k');
  const own = rig.connect('monitor', eraser, 'k');
  const erased = resultOf(rig.erase('k', eraser), 'done');
  assert.deepEqual(rig.entries(), []);
  assert.deepEqual(rig.notices(watcher)[0]!.reason, { type: 'erased', by: eraser });
  assert.equal(rig.notices(eraser)[0]!.connection, own);
  assert.equal(resultOf(rig.erase('k', eraser), 'done').revision, erased.revision);
  rig.store('k', 'again');
  rig.connect('monitor', watcher, 'k');
  rig.erase('k');
  assert.deepEqual(rig.notices(watcher)[1]!.reason, { type: 'erased', by: 0 });
});

test('[T6] connecting always gives a reference, its own for each edge', () => {
  const rig = furnished();
  const session = rig.session();
  const connections = [...EDGES, ...EDGES].map((edge) => rig.connect(edge, session, 'k'));
  assert.equal(new Set(connections).size, 8);
  const absent = rig.connect('monitor', session, 'none');
  assert.equal(absent, rig.index);
  rig.erase('k');
  const told = rig.notices(session).map(({ connection }) => connection);
  // Of each pair of edges all but the backward links, and the one to no entry.
  assert.deepEqual(told, [...connections.filter((_, i) => i % 4 !== 2), absent]);
});

test('[T6] [TABLE-6] a peer may have ended; one that was not opened yet is refused', () => {
  const rig = furnished();
  const own = (): SessionId => (rig.index + 1) as SessionId;
  assert.match(refused(rig.tryConnect('link', NOBODY, 'k'), 'invalid-argument'), /not 0/);
  for (const peer of [own, () => 1e15 as SessionId]) {
    const results = [rig.tryConnect('link', peer(), 'k'), rig.store('l', '', 'link', peer())];
    for (const result of results)
      assert.match(refused(result, 'invalid-argument'), /not been opened/);
  }
  assert.deepEqual(rig.entries(), [['k', 'v']]);
  // The log index of a command that opened no session stands for one that is over.
  rig.connect('monitor', 1 as SessionId, 'k');
  assert.deepEqual(rig.entries(), [['k', 'v']]);
  const gone = rig.session();
  rig.close(gone);
  const stored = resultOf(rig.store('l', 'x', 'backward_link', gone), 'stored');
  assert.deepEqual([stored.stored, stored.connection], [true, rig.index]);
  assert.deepEqual(rig.entries(), [['k', 'v']]);
});

test('[T7] [TABLE-7] after disconnecting, nothing more comes from that reference', () => {
  const rig = furnished();
  const [one, two] = [rig.session(), rig.session()];
  const linked = rig.connect('link', one, 'k');
  const other = rig.connect('monitor', one, 'k');
  assert.deepEqual(rig.disconnect(linked, two, 'k'), [], "another session's");
  assert.deepEqual(rig.disconnect(linked, one, 'k'), [linked]);
  assert.deepEqual(rig.disconnect(linked, one, 'k'), []);
  rig.erase('k');
  assert.deepEqual(
    rig.notices(one).map(({ connection }) => connection),
    [other],
  );
  const { revision } = rig.machine;
  assert.deepEqual(rig.disconnect(other, one, 'k'), [], 'its notice is forgotten');
  assert.deepEqual([rig.notices(one), rig.machine.revision], [[], revision + 1]);
  assert.deepEqual(rig.disconnect(other, one, 'k'), []);
  assert.equal(rig.machine.revision, revision + 1);
});

test("[T8] disconnecting all takes one peer's edges on one key, and names them", () => {
  const rig = furnished();
  rig.store('l', 'v');
  const [one, two] = [rig.session(), rig.session()];
  const mine = EDGES.map((edge) => rig.connect(edge, one, 'k'));
  const others = rig.connect('monitor', two, 'k');
  const elsewhere = rig.connect('monitor', one, 'l');
  assert.deepEqual(rig.disconnectAll(one, 'k'), mine);
  assert.deepEqual(rig.disconnectAll(one, 'k'), []);
  rig.erase('k');
  rig.erase('l');
  assert.deepEqual(
    [...rig.notices(one), ...rig.notices(two)].map(({ connection }) => connection),
    [elsewhere, others],
  );
});

test('[T9] [TABLE-4] acknowledged notices are forgotten; those not there are passed over', () => {
  const rig = furnished();
  const [one, two] = [rig.session(), rig.session()];
  const [first, second] = [rig.connect('link', one, 'k'), rig.connect('monitor', one, 'k')];
  const others = rig.connect('monitor', two, 'k');
  rig.erase('k');
  assert.equal(rig.notices(one).length, 2);
  rig.acknowledge(one, [first, first, others, 12345 as ConnectionId]);
  assert.deepEqual(
    [...rig.notices(one), ...rig.notices(two)].map(({ connection }) => connection),
    [second, others],
  );
  const { revision } = resultOf(rig.acknowledge(one, [first]), 'done');
  rig.acknowledge(one, [second]);
  assert.deepEqual([rig.notices(one), rig.machine.revision], [[], revision + 1]);
  rig.close(two);
  resultOf(rig.acknowledge(two, [others]), 'done');
});

test('[T10] a notice tells table, edge, peer, key, connection and reason, and stays', () => {
  const rig = furnished();
  const session = rig.session();
  const connection = rig.connect('forward_link', session, 'k');
  rig.erase('k');
  const expected = {
    type: 'exit',
    table: 't',
    edge: 'forward_link',
    peer: session,
    key: 'k',
    connection,
    reason: { type: 'erased', by: 0 },
  };
  assert.deepEqual(rig.notices(session), [expected]);
  const copy = rig.restored(rig.snapshot());
  assert.deepEqual(copy.list(), rig.list());
  rig.close(session);
  assert.deepEqual(rig.notices(session), []);
});

function txn(op: TxnOp): TxnCommand {
  return { type: 'txn', compares: [], success: [op], failure: [] };
}

test('[TABLE-13] no client command writes a reserved key, or locks one', () => {
  const rig = furnished();
  const session = rig.session();
  for (const key of ['\0', '\0tt\0k', '\0anything', `\0/${'0'.repeat(16)}`]) {
    const put = { type: 'put', key, value: NONE, ttlMs: 0, ephemeral: false } as const;
    const results = [
      rig.put(key, 'v'),
      rig.put(key, 'v', { lock: true, by: session }),
      rig.delete(key),
      rig.persist(key),
      rig.lock(key, session),
      rig.unlock(key, session, 1 as never),
      rig.do({ type: 'breakLock', name: key, token: 1 as never, reason: '' }),
      rig.do(txn(put)),
      rig.do(txn({ type: 'increment', key, by: 1 })),
      rig.do(txn({ type: 'delete', key })),
      rig.do(txn(txn(put))),
    ];
    for (const result of results) assert.match(refused(result, 'invalid-key'), /reserved: .*zero/);
  }
  assert.deepEqual(rig.entries(), [['k', 'v']]);
});

test('[TABLE-13] deleting a range passes over reserved keys', () => {
  const rig = furnished();
  rig.put('a', '');
  const result = rig.do(txn({ type: 'deleteRange', start: '', end: undefined }));
  assert.deepEqual(resultOf(result, 'txn').results, [{ type: 'deleteRange', deleted: 1 }]);
  assert.deepEqual(rig.entries(), [['k', 'v']]);
});

test('[TABLE-13] a key of an entry may look like a place in a lock queue, and is none', () => {
  const rig = new TableRig();
  const session = rig.session();
  rig.openTable();
  rig.store(`job/${session.toString(16).padStart(16, '0')}`, 'v', 'link', session);
  rig.store('job', 'v');
  assert.deepEqual(rig.ask({ type: 'locks', start: '', end: undefined, limit: 0 }), {
    type: 'locks',
    revision: rig.machine.revision,
    time: rig.time,
    locks: [],
    more: false,
  });
  // As of an earlier revision too there is no lock of that name.
  const { revision } = rig.machine;
  rig.put('other', '');
  for (const { lock } of rig.list('', revision)) assert.equal(lock, undefined);
  rig.close(session);
  assert.deepEqual(rig.keysIn(), ['job']);
});

test('[TABLE-12] bad names, keys, values and absent tables are refused with the rule', () => {
  const rig = furnished({ maxKeyBytes: 3, maxValueBytes: 2 });
  const session = rig.session();
  for (const table of ['', 'a\0b', 'x'.repeat(256)]) {
    for (const result of [
      rig.openTable(table),
      rig.dropTable(table),
      rig.erase('k', NOBODY, table),
    ]) {
      assert.match(
        refused(result, 'invalid-argument'),
        /name has 1 to 255 bytes, none of them zero/,
      );
    }
  }
  resultOf(rig.openTable('x'.repeat(255)), 'table');
  const place = { table: 'none', key: 'k' };
  const onAbsent: RegistryCommand[] = [
    { type: 'dropTable', table: 'none' },
    { type: 'tableStore', ...place, value: NONE, connect: undefined },
    { type: 'tableErase', ...place },
    { type: 'tableConnect', ...place, edge: 'link', peer: session },
    { type: 'tableDisconnect', ...place, peer: session, connection: 1 as ConnectionId },
    { type: 'tableDisconnectAll', ...place, peer: session },
  ];
  for (const command of onAbsent) {
    assert.match(refused(rig.do(command), 'no-such-table'), /no table "none"/);
  }
  refused(rig.store('', 'v'), 'invalid-key');
  assert.match(refused(rig.store('1234', 'v'), 'too-large'), /limit is 3 \(maxKeyBytes\)/);
  assert.match(refused(rig.store('l', '123'), 'too-large'), /limit is 2 \(maxValueBytes\)/);
  assert.deepEqual(rig.entries(), [['k', 'v']]);
});

test('[TABLE-12] edges and notices of a session are bounded, together', () => {
  const rig = furnished({ maxSessionEdges: 3 });
  const [one, two] = [rig.session(), rig.session()];
  const first = rig.connect('monitor', one, 'k');
  const second = rig.connect('backward_link', one, 'k');
  const third = rig.connect('monitor', one, 'none');
  const full = /session \d+ has 3 edges .* limit is 3 \(maxSessionEdges\)/;
  assert.match(refused(rig.tryConnect('monitor', one, 'k'), 'overloaded'), full);
  assert.match(refused(rig.tryConnect('monitor', one, 'none'), 'overloaded'), full);
  assert.match(refused(rig.store('l', 'v', 'link', one), 'overloaded'), full);
  assert.deepEqual(rig.keysIn(), ['k']);
  // Somebody else's edges have room, and a copy from a snapshot counts the same.
  rig.connect('monitor', two, 'k');
  const copy = rig.restored(rig.snapshot());
  const again = { type: 'tableConnect', table: 't', key: 'k', edge: 'monitor', peer: one } as const;
  refused(copy.do(again), 'overloaded');
  rig.acknowledge(one, [third]);
  rig.disconnect(second, one, 'k');
  rig.connect('monitor', one, 'k');
  rig.connect('monitor', one, 'k');
  refused(rig.tryConnect('monitor', one, 'k'), 'overloaded');
  rig.erase('k');
  assert.equal(rig.notices(one).length, 3, 'as many notices as there were edges');
  assert.equal(rig.notices(one)[0]!.connection, first);
  assert.match(refused(rig.acknowledge(one, [1, 2, 3, 4] as never[]), 'too-large'), /maxSession/);
});

test('[TABLE-12] entries and edges of a table are bounded, together', () => {
  const rig = furnished({ maxTableRecords: 3 });
  const session = rig.session();
  rig.openTable('u');
  rig.connect('monitor', session, 'k');
  const full = /table "t" has 2 entries and edges: the limit is 3 \(maxTableRecords\)/;
  assert.match(refused(rig.store('l', 'v', 'link', session), 'overloaded'), full);
  rig.store('l', 'v');
  refused(rig.store('m', 'v'), 'overloaded');
  refused(rig.tryConnect('monitor', session, 'k'), 'overloaded');
  assert.equal(resultOf(rig.store('l', 'w'), 'stored').stored, false, 'what is there is told');
  rig.store('l', 'v', 'link', session, 'u');
  rig.erase('k');
  rig.store('m', 'v', 'link', session);
  refused(rig.store('n', 'v'), 'overloaded');
});

test('[TABLE-11] a numbered command of a table is answered as at first', () => {
  const rig = new Rig();
  const session = rig.open();
  rig.do({ type: 'openTable', table: 't', linked: false });
  const edge = { edge: 'monitor', peer: session } as const;
  const store: RegistryCommand = {
    type: 'tableStore',
    table: 't',
    key: 'k',
    value: bytes('v'),
    connect: edge,
  };
  const connect: RegistryCommand = { type: 'tableConnect', table: 't', key: 'k', ...edge };
  const answers = [store, connect].map((command, i) => {
    return rig.do(command, { session, sequence: i + 1 });
  });
  const { revision } = rig.machine;
  const copy = rig.restored(rig.snapshot());
  for (const one of [rig, copy]) {
    [store, connect].forEach((command, i) => {
      assert.deepEqual(one.do(command, { session, sequence: i + 1 }), answers[i]);
    });
    assert.equal(one.machine.revision, revision);
  }
});
