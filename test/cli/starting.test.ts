/** What the command lines load before they know what is wanted: that is what each start costs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const BUILD = new URL('../../', import.meta.url);
const STATIC_IMPORT = /^(?:import|export)\b[^;'"]*?['"]([^'"]+)['"]/gm;

/** Every file of the build that is loaded with this one, and every package. */
function loadedWith(entry: string): ReadonlySet<string> {
  const loaded = new Set<string>();
  const load = (url: URL): void => {
    const name = fileURLToPath(url).slice(fileURLToPath(BUILD).length);
    if (loaded.has(name)) return;
    loaded.add(name);
    for (const [, from] of readFileSync(url, 'utf8').matchAll(STATIC_IMPORT)) {
      if (from!.startsWith('.')) load(new URL(from!, url));
      else loaded.add(from!);
    }
  };
  load(new URL(entry, BUILD));
  return loaded;
}

const HEAVY =
  /^zod$|^src\/(?:client\/index|embed|node|server|registry|transport)\b|^jepsen-lite\/(?!cli)/;

for (const entry of ['src/cli/main.js', 'jepsen-lite/cli/main.js']) {
  test(`[CLI-125] ${entry} starts without clients, servers and schemas`, () => {
    const loaded = [...loadedWith(entry)];
    assert.ok(loaded.includes('commander'), 'it follows imports');
    assert.deepEqual(
      loaded.filter((name) => HEAVY.test(name)),
      [],
    );
  });
}

test('[CLI-125] what a check of a history loads is no cluster', () => {
  const loaded = [...loadedWith('jepsen-lite/cli/commands/check.js')];
  assert.ok(loaded.includes('zod'), 'it follows imports');
  const clusters = /^src\/(?:client\/index|embed|node|server)\b|^jepsen-lite\/(?:simulation|real)/;
  assert.deepEqual(
    loaded.filter((name) => clusters.test(name)),
    [],
  );
});
