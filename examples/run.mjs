/**
 * `npm run example NAME [-- OPTIONS]`: runs `NAME.ts` or `NAME/main.ts` of this folder, compiled.
 */
import { existsSync, readdirSync } from 'node:fs';

const sources = new URL('.', import.meta.url);
const compiled = new URL('../dist/examples/', import.meta.url);
const names = readdirSync(sources, { withFileTypes: true })
  .filter((one) => one.name.endsWith('.ts') || one.isDirectory())
  .map((one) => one.name.replace(/\.ts$/, ''))
  .toSorted();

const [name, ...options] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  const complaint = name === undefined ? 'which example?' : `there is no example '${name}':`;
  console.error(`${complaint} npm run example NAME, with one of: ${names.join(', ')}`);
  process.exitCode = 2;
} else {
  const file = new URL(`${name}.js`, compiled);
  // The example sees its own options, as if it had been started without this script.
  process.argv.splice(2, process.argv.length, ...options);
  await import(existsSync(file) ? file.href : new URL(`${name}/main.js`, compiled).href);
}
