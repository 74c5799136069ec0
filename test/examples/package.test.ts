/** What `npm pack` would publish is whole: all that users import, and nothing else. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import { before, test } from 'node:test';

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

const manifest: Manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const IMPORT = /^(?:import|export)\b[^;'"]*?\bfrom '([^']+)'|\bimport\('([^']+)'\)/gm;
let packed = new Set<string>();

before(() => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const output = execFileSync('npm', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [report]: { files: { path: string }[] }[] = JSON.parse(output);
  packed = new Set(report?.files.map(({ path }) => path));
});

test('every entry of the package is in it, with its types', () => {
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  for (const target of [...targets, ...Object.values(manifest.bin)]) {
    assert.ok(packed.has(target.replace(/^\.\//, '')), target);
  }
  for (const file of ['README.md', 'LICENSE', 'SPEC.md', 'CHANGELOG.md']) {
    assert.ok(packed.has(file), file);
  }
});

test('whatever a packed module imports is packed too, or a dependency', () => {
  const installed = { ...manifest.dependencies, ...manifest.peerDependencies };
  const faults: string[] = [];
  let imports = 0;
  for (const path of packed) {
    if (!/\.(js|d\.ts)$/.test(path)) continue;
    const code = readFileSync(path, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    for (const [, fixed, loaded] of code.matchAll(IMPORT)) {
      const specifier = fixed ?? loaded ?? '';
      imports++;
      const isThere = specifier.startsWith('.')
        ? packed.has(join(path, '..', specifier.replace(/\.ts$/, '.d.ts')))
        : specifier.startsWith('node:') || Object.hasOwn(installed, specifier);
      if (!isThere) faults.push(`${path} imports ${specifier}`);
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(imports > 500, `${imports} imports seen`);
});

test('only what users need is packed, and only a driver they use must be installed', () => {
  const foreign = [...packed].filter(
    (path) =>
      path.startsWith('dist/') && !/^dist\/(src|adapters|jepsen-lite)\/.*\.(js|d\.ts)$/.test(path),
  );
  assert.deepEqual(foreign, []);
  for (const driver of Object.keys(manifest.peerDependencies)) {
    assert.equal(manifest.peerDependenciesMeta[driver]?.optional, true, driver);
    const users = [...packed].filter(
      (path) => path.endsWith('.js') && readFileSync(path, 'utf8').includes(`from '${driver}'`),
    );
    assert.ok(users.length > 0 && users.every((path) => path.startsWith('dist/adapters/')));
  }
});

test('what README.md imports from the package can be imported', async () => {
  const readme = readFileSync('README.md', 'utf8');
  const imports = [...readme.matchAll(/import \{([^}]+)\} from '(holdfast[^']*)'/g)];
  assert.ok(imports.length >= 4);
  for (const [, names = '', specifier = ''] of imports) {
    const module: Record<string, unknown> = await import(specifier);
    for (const name of names.split(',').map((one) => one.trim())) {
      if (!name.startsWith('type ')) assert.ok(name in module, `${name} of ${specifier}`);
    }
  }
});

test('package-lock.json names the binaries of every platform, so that npm ci takes it', () => {
  interface Locked {
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }
  const { packages }: { packages: Record<string, Locked> } = JSON.parse(
    readFileSync('package-lock.json', 'utf8'),
  );
  const wanted = Object.values(packages).flatMap((one) =>
    Object.keys(one.optionalDependencies ?? {}),
  );
  // npm leaves them out when it writes the file where its registry has not got them.
  const missing = wanted.filter((name) => packages[`node_modules/${name}`] === undefined);
  assert.deepEqual(missing, []);
});
