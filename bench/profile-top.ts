/**
 * Where the time went: `node dist/bench/profile-top.js FILE_OR_DIRECTORY... [--inclusive]` prints,
 * for each profile that `--profile` left, the functions that ran longest themselves, as shares of
 * the time that the process was not idle.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** In us, between two samples. */
  readonly timeDeltas: readonly number[];
}

const SHOWN = 40;
const IDLE = new Set(['(idle)', '(root)']);

function nameOf({ callFrame }: ProfileNode): string {
  const { functionName, url, lineNumber } = callFrame;
  const file = url.replace(/^.*\/(dist|node_modules)\//, '');
  const place = url === '' ? '' : ` ${file}:${lineNumber + 1}`;
  return `${functionName === '' ? '(anonymous)' : functionName}${place}`;
}

/** Microseconds by function; with `inclusive` those of what it called are its own as well. */
function timesOf(profile: Profile, inclusive: boolean): ReadonlyMap<string, number> {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, number>();
  for (const { id, children = [] } of profile.nodes) {
    for (const child of children) parents.set(child, id);
  }
  const own = new Map<number, number>();
  profile.samples.forEach((id, i) => {
    own.set(id, (own.get(id) ?? 0) + (profile.timeDeltas[i] ?? 0));
  });
  const times = new Map<string, number>();
  for (const [id, us] of own) {
    const names = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      names.add(nameOf(nodes.get(at)!));
      if (!inclusive) break;
    }
    for (const name of names) times.set(name, (times.get(name) ?? 0) + us);
  }
  return times;
}

function seconds(us: number): string {
  return (us / 1e6).toFixed(2);
}

function print(path: string, inclusive: boolean): void {
  const profile: Profile = JSON.parse(readFileSync(path, 'utf8'));
  const own = timesOf(profile, false);
  const total = [...own.values()].reduce((sum, us) => sum + us, 0);
  const busy = total - [...IDLE].reduce((sum, name) => sum + (own.get(name) ?? 0), 0);
  const times = inclusive ? timesOf(profile, true) : own;
  const longest = [...times]
    .filter(([name]) => !IDLE.has(name))
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, SHOWN);
  const lines = longest.map(
    ([name, us]) => `${((100 * us) / busy).toFixed(1).padStart(6)}%  ${name}`,
  );
  const header = `${path}: ${seconds(total)} s, busy ${seconds(busy)} s`;
  process.stdout.write(`\n${[header, ...lines].join('\n')}\n`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { inclusive: { type: 'boolean', default: false } },
});
for (const place of positionals) {
  const files = statSync(place).isDirectory()
    ? readdirSync(place).map((name) => join(place, name))
    : [place];
  for (const file of files) print(file, values.inclusive);
}
