/** Runs every golden scenario; `HOLDFAST_REWRITE=1` records what they do now. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { commandsOf, parseScript, printScript } from './scenario-script.ts';
import { Scenario } from './scenario.ts';

// Compiled tests run from dist; the scripts stay with the sources.
const directory = new URL('../../../test/raft/scenarios/', import.meta.url);
const rewrite = process.env['HOLDFAST_REWRITE'] === '1';

function played(text: string, file: string): string {
  const scenario = new Scenario();
  const blocks = parseScript(text).map((block) => {
    const expected = commandsOf(block).flatMap((command) => {
      try {
        return scenario.run(command);
      } catch (error) {
        const at = text.slice(0, text.indexOf(block.lines.join('\n'))).split('\n').length;
        throw new Error(`${file}, block at line ${at}, \`${command}\`: ${String(error)}`, {
          cause: error,
        });
      }
    });
    return { lines: block.lines, expected };
  });
  return printScript(blocks);
}

const files = readdirSync(directory)
  .filter((name) => name.endsWith('.txt'))
  .toSorted();

for (const file of files) {
  const url = new URL(file, directory);
  const text = readFileSync(url, 'utf8');
  const title = text.split('\n')[0]?.replace(/^#\s*/, '') ?? '';
  test(`[RAFT-92] scenario ${file.replace('.txt', '')}: ${title}`, () => {
    const now = played(text, file);
    if (rewrite) writeFileSync(url, now);
    else assert.equal(now, text, `${file} changed; see it with HOLDFAST_REWRITE=1 and git diff`);
  });
}

test('there are scenarios', () => assert.ok(files.length >= 25));
