/**
 * The kill rounds in full: `npm run soak:kill` runs 50 rounds for 3 and 5 nodes on each durable
 * store; `node dist/test/process/soak.js ROUNDS [NODES [STORE]]` a part. Exits 1 on any violation.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killRounds } from './kill-rounds.ts';

const [roundsText = '50', nodesText, storeText] = process.argv.slice(2);
const rounds = Number(roundsText);
const sizes = nodesText === undefined ? [3, 5] : [Number(nodesText)];
const stores = (['sqlite', 'level'] as const).filter(
  (store) => storeText === undefined || store === storeText,
);

let failed = false;
for (const store of stores) {
  for (const nodes of sizes) {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-soak-'));
    const started = performance.now();
    const report = await killRounds({
      nodes,
      store,
      rounds,
      clients: 8,
      directory,
      onProgress: (line) => process.stdout.write(`${store} ${nodes}: ${line}\n`),
    });
    const { seen, lost, diverged } = report;
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    const bad = seen.violations.length + lost.length + diverged.length > 0;
    failed ||= bad;
    process.stdout.write(
      `${store}, ${nodes} nodes, ${rounds} SIGKILLs in ${seconds} s: ${seen.acknowledged} calls ` +
        `acknowledged, ${seen.unknown} unknown, ${seen.refused} refused, ${seen.tokens.length} ` +
        `locks; lost ${lost.length}, violations ${seen.violations.length}, ` +
        `diverged ${diverged.length}\n`,
    );
    for (const line of [...seen.violations, ...lost.slice(0, 10)])
      process.stdout.write(`${line}\n`);
    if (bad) process.stdout.write(`data kept in ${directory}\n`);
    else await rm(directory, { recursive: true, force: true });
  }
}
process.exitCode = failed ? 1 : 0;
