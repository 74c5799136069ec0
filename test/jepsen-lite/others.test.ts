/** What `OTHERS.md` names as proof exists. Ids of SPEC.md are carried by tests: `spec.test.ts`. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkers } from '../../jepsen-lite/checkers/index.ts';
import { mutants } from '../../jepsen-lite/mutants/index.ts';
import { workloads } from '../../jepsen-lite/workloads/index.ts';

/** What the first group of each match has. */
function named(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

const KINDS: readonly (readonly [named: (line: string) => string[], there: readonly string[]])[] = [
  [
    (line) => named(line, /\[([A-Z]+-\d+)\]/g),
    named(readFileSync('SPEC.md', 'utf8'), /^- \*\*\[([A-Z]+-\d+)\]\*\*/gm),
  ],
  [
    (line) => {
      const lists = named(line, /scenarios? ((?:`[\w-]+`(?:, | and )?)+)/g);
      return lists.flatMap((list) => named(list, /`([\w-]+)`/g));
    },
    readdirSync('test/raft/scenarios').map((name) => name.replace('.txt', '')),
  ],
  [
    (line) => {
      const lists = named(line, /[Mm]utants? ((?:\d+b?(?:, | and )?)+)/g);
      return lists.flatMap((list) => named(list, /(\d+b?)/g));
    },
    mutants.map(({ id }) => id),
  ],
  [
    // What the oracle of the random runs says when it finds it.
    (line) => {
      const told = named(line, /\*[Rr]andom\*([^;.]*)/g);
      return told.flatMap((text) => named(text, /"([^"]+)"/g));
    },
    ['oracle', 'message-rules', 'cluster'].flatMap((file) => {
      return named(readFileSync(`test/raft/${file}.ts`, 'utf8'), /['`]([a-z][\w ,]+)/gi);
    }),
  ],
  [(line) => named(line, /[Ww]orkload `([\w-]+)`/g), Object.keys(workloads)],
  [(line) => named(line, /checker `([\w-]+)`/g), Object.keys(checkers)],
];

test('[KIT-20] what others got wrong is told with tests, scenarios and mutants that exist', () => {
  const text = readFileSync('jepsen-lite/OTHERS.md', 'utf8');
  const lines = text.split('\n').filter((line) => line.startsWith('- '));
  assert.ok(lines.length > 60, `${lines.length} lines`);
  for (const [namesIn, there] of KINDS) {
    const names = lines.flatMap(namesIn);
    assert.ok(names.length > 0);
    assert.deepEqual(
      names.filter((name) => !there.includes(name)),
      [],
    );
  }
});
