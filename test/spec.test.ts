/** SPEC.md and the tests name the same guarantees: none is orphaned on either side. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sourceFiles } from './tidy/sources.ts';

const AREAS = [
  'RAFT',
  'LOG',
  'NET',
  'NODE',
  'REG',
  'LOCK',
  'SESS',
  'WATCH',
  'TABLE',
  'MAP',
  'TREE',
  'BACKUP',
  'SRV',
  'API',
  'CLI',
  'CHECK',
  'JEPSEN',
  'KIT',
  'REAL',
];
const ID = new RegExp(`\\[((?:${AREAS.join('|')})-\\d+|[LMTBH]\\d+)\\]`, 'g');

/** Every id that stands in a string of a test, or of the suite that users run. */
function idsInTests(): Set<string> {
  const ids = new Set<string>();
  for (const file of sourceFiles()) {
    const isTest = /^(test|jepsen-lite)\//.test(file.path);
    if (!isTest && !file.path.startsWith('src/log-store/conformance/')) continue;
    for (const line of file.code) {
      if (!/['"`]/.test(line)) continue;
      for (const match of line.matchAll(ID)) ids.add(match[1] ?? '');
    }
  }
  return ids;
}

function idsInSpec(): string[] {
  const lines = readFileSync('SPEC.md', 'utf8').split('\n');
  return lines.flatMap((line) => /^- \*\*\[([A-Z]+-?\d+)\]\*\*/.exec(line)?.[1] ?? []);
}

test('SPEC.md lists each guarantee once', () => {
  const listed = idsInSpec();
  const repeated = listed.filter((id, i) => listed.indexOf(id) !== i);
  assert.deepEqual(repeated, []);
  assert.ok(listed.length > 0);
});

test('every guarantee in SPEC.md is carried by a test, and every id in a test is listed', () => {
  const [listed, tested] = [new Set(idsInSpec()), idsInTests()];
  assert.deepEqual(
    [...listed].filter((id) => !tested.has(id)),
    [],
    'listed, but in no test',
  );
  assert.deepEqual(
    [...tested].filter((id) => !listed.has(id)),
    [],
    'tested, but not listed',
  );
});
