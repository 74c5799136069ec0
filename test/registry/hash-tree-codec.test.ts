import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MalformedBytesError } from '../../src/base/index.ts';
import {
  decodeAnswer,
  decodeCommand,
  decodeQuery,
  decodeResult,
  encodeAnswer,
  encodeCommand,
  encodeQuery,
  encodeResult,
  mayComeFromClient,
  TREE_BUCKETS,
  type RegistryCommand,
  type RegistryResult,
  type Revision,
  type SessionId,
  type TreeAnswer,
  type TreeQuery,
  type TreeState,
} from '../../src/registry/index.ts';

const HEADER = { session: 7 as SessionId, sequence: 1, acknowledged: 0, node: 'a' };
const REVISION = 300 as Revision;

const COMMANDS: readonly RegistryCommand[] = [
  { type: 'lockTree' },
  { type: 'updateTree' },
  { type: 'releaseTree' },
];
const RESULTS: readonly RegistryResult[] = [
  { type: 'treeLocked', revision: REVISION, index: 2 ** 40 },
  { type: 'treeRefused', revision: REVISION, why: 'locked', holder: 9 as SessionId },
  { type: 'treeRefused', revision: REVISION, why: 'not_locked', holder: 0 as SessionId },
  { type: 'treeRefused', revision: REVISION, why: 'not_allowed', holder: 9 as SessionId },
];
const QUERIES: readonly TreeQuery[] = [
  { type: 'treeHash', path: [] },
  { type: 'treeHash', path: ['a\xff', ''] },
  { type: 'treeBucket', path: [], level: 0, bucket: 0, after: undefined },
  { type: 'treeBucket', path: ['a'], level: 1, bucket: TREE_BUCKETS - 1, after: '' },
  { type: 'treeKeys', path: ['a', 'b'], segment: 5, after: 'a/b/c' },
  { type: 'resetTree' },
];
const STATES: readonly TreeState[] = [
  { type: 'ready', index: 400, revision: REVISION, keys: 12, locked: true },
  { type: 'not_built' },
  { type: 'ongoing_update' },
  { type: 'not_locked' },
];

function answerOf(state: TreeState): TreeAnswer {
  const hashes = [
    { name: '', hash: '0000000000000001' },
    { name: '\0tjobs', hash: 'fedcba9876543210' },
  ];
  return { type: 'tree', revision: REVISION, state, hashes, more: true };
}

test('[TREE-1] commands, results, queries and answers of hash trees read back as written', () => {
  for (const command of COMMANDS) {
    const bytes = encodeCommand(HEADER, command);
    assert.deepEqual(decodeCommand(bytes), { header: HEADER, command });
    assert.ok(mayComeFromClient(bytes));
  }
  for (const result of RESULTS) assert.deepEqual(decodeResult(encodeResult(result)), result);
  for (const query of QUERIES) assert.deepEqual(decodeQuery(encodeQuery(query)), query);
  for (const state of STATES) {
    const answer = answerOf(state);
    assert.deepEqual(decodeAnswer(encodeAnswer(answer)), answer);
  }
});

test('[TREE-1] bytes of hash trees that nothing can have written are refused as malformed', () => {
  const whole = [
    ...QUERIES.map((query) => ({ bytes: encodeQuery(query), decode: decodeQuery })),
    ...STATES.map((state) => ({ bytes: encodeAnswer(answerOf(state)), decode: decodeAnswer })),
    ...RESULTS.map((result) => ({ bytes: encodeResult(result), decode: decodeResult })),
  ];
  for (const { bytes, decode } of whole) {
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decode(bytes.subarray(0, length)), MalformedBytesError);
    }
  }
  const path = encodeQuery({ type: 'treeHash', path: ['', ''] });
  // Three empty names where two are the most.
  assert.throws(() => decodeQuery(Uint8Array.of(path[0]!, path[1]!, 3, 0, 0, 0)), /3 names/);
  const answer = encodeAnswer(answerOf({ type: 'not_built' }));
  answer[answer.indexOf(1, 3)] = 9; // the state's number
  assert.throws(() => decodeAnswer(answer), MalformedBytesError);
});
