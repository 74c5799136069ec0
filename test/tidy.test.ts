/**
 * The house rules that a machine can check: sizes, arrows between rooms, purity, no dead exports.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { sourceFiles, type SourceFile } from './tidy/sources.ts';

/** Who may import whom (ARCHITECTURE.md, "Rooms"); everyone may import itself. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'src/base': [],
  'src/raft': ['src/base'],
  'src/registry': ['src/base'],
  'src/wire': ['src/base'],
  'src/log-store': ['src/base', 'src/raft'],
  'src/transport': ['src/base', 'src/raft', 'src/log-store', 'src/wire'],
  'src/node': ['src/base', 'src/raft', 'src/log-store', 'src/transport'],
  'src/protocol': ['src/base', 'src/registry', 'src/wire'],
  'src/server': [
    'src/base',
    'src/node',
    'src/raft',
    'src/registry',
    'src/protocol',
    'src/wire',
    'src/transport',
  ],
  'src/client': ['src/base', 'src/protocol', 'src/registry', 'src/wire'],
  'src/embed': [
    'src/base',
    'src/node',
    'src/protocol',
    'src/server',
    'src/transport',
    'src/client',
  ],
  'src/cli': [
    'src',
    'src/base',
    'src/client',
    'src/log-store',
    'adapters/sqlite',
    'adapters/level',
  ],
  'adapters/sqlite': ['src/base', 'src/raft', 'src/log-store'],
  'adapters/level': ['src/base', 'src/raft', 'src/log-store'],
};
const PURE_ROOMS = ['src/base', 'src/raft', 'src/registry'];
const AMBIENT = new RegExp(
  [
    'Date\\.now',
    'new Date\\b',
    'Math\\.random',
    'performance\\.',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'queueMicrotask',
    'process\\.',
    'crypto\\.',
  ]
    .map((name) => `\\b${name}`)
    .join('|'),
);
const MAX_COLUMNS = 100;
const MAX_LINES = 500;

const files = sourceFiles();

function roomOf(path: string): string {
  const parts = path.split('/');
  if (path.startsWith('src/') || path.startsWith('adapters/')) {
    // A file right under `src`, its index, is the room of that name.
    return parts.slice(0, parts.length === 2 ? 1 : 2).join('/');
  }
  return parts[0] ?? path;
}

function importsOf(file: SourceFile): string[] {
  const found: string[] = [];
  const pattern = /^\s*(?:import|export)\b[^'";]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'/gms;
  for (const match of file.text.matchAll(pattern)) found.push(match[1] ?? match[2] ?? '');
  for (const match of file.text.matchAll(/\bimport\('([^']+)'\)/g)) found.push(match[1] ?? '');
  return found;
}

test('no file is longer than 500 lines and no line wider than 100 columns', () => {
  const faults: string[] = [];
  for (const file of files) {
    if (file.lines.length > MAX_LINES) faults.push(`${file.path}: ${file.lines.length} lines`);
    file.lines.forEach((line, i) => {
      if (line.length > MAX_COLUMNS) faults.push(`${file.path}:${i + 1}: ${line.length} columns`);
    });
  }
  assert.deepEqual(faults, []);
});

test('rooms import only what ARCHITECTURE.md lets them enter', () => {
  const faults: string[] = [];
  for (const file of files) {
    const room = roomOf(file.path);
    const allowed = ARROWS[room];
    if (allowed === undefined) continue;
    for (const specifier of importsOf(file)) {
      if (!specifier.startsWith('.')) {
        if (PURE_ROOMS.includes(room)) faults.push(`${file.path} imports ${specifier}`);
        continue;
      }
      const target = roomOf(relative('.', resolve(dirname(file.path), specifier)));
      if (target !== room && !allowed.includes(target)) {
        faults.push(`${file.path} imports ${specifier}`);
      }
    }
  }
  assert.deepEqual(faults, []);
});

test("a room's tsconfig references exactly what it may enter", () => {
  for (const [room, allowed] of Object.entries(ARROWS)) {
    const config: unknown = JSON.parse(readFileSync(join(room, 'tsconfig.json'), 'utf8'));
    assert.ok(typeof config === 'object' && config !== null && 'references' in config);
    assert.ok(Array.isArray(config.references));
    const references = config.references.map((reference: { path: string }) =>
      relative('.', resolve(room, reference.path)),
    );
    const surplus = references.filter((path) => !allowed.includes(path));
    assert.deepEqual(surplus, [], `${room}/tsconfig.json`);
  }
});

test('the pure rooms have no async, no clock, no chance, no timers', () => {
  const faults: string[] = [];
  for (const file of files.filter((one) => PURE_ROOMS.includes(roomOf(one.path)))) {
    file.code.forEach((line, i) => {
      if (/\basync\b/.test(line) || AMBIENT.test(line))
        faults.push(`${file.path}:${i + 1}: ${line}`);
    });
  }
  assert.deepEqual(faults, []);
});

test('outside the environment, the node room takes no clock, chance or timer of its own', () => {
  const faults: string[] = [];
  for (const file of files.filter((one) => roomOf(one.path) === 'src/node')) {
    if (file.path === 'src/node/system-environment.ts') continue;
    file.code.forEach((line, i) => {
      if (AMBIENT.test(line)) faults.push(`${file.path}:${i + 1}: ${line}`);
    });
  }
  assert.deepEqual(faults, []);
});

test('nothing is left undone, skipped, or typed away', () => {
  const faults: string[] = [];
  const forbidden =
    /\b(TODO|FIXME|XXX|HACK)\b|@ts-ignore|@ts-expect-error|\.(only|todo)\(|: any\b|as any\b/;
  for (const file of files) {
    if (file.path === 'test/tidy.test.ts') continue;
    file.lines.forEach((line, i) => {
      if (forbidden.test(line)) faults.push(`${file.path}:${i + 1}: ${line.trim()}`);
    });
  }
  assert.deepEqual(faults, []);
});

test('no export is dead: each is used elsewhere or stands behind a public entry', () => {
  const entries = ['src/index.ts', 'src/client/index.ts', 'src/log-store/conformance/index.ts'];
  const faults: string[] = [];
  for (const file of files.filter((one) => /^(src|adapters|jepsen-lite)\//.test(one.path))) {
    if (entries.includes(file.path) || file.path.endsWith('/index.ts')) continue;
    const others = files.filter((one) => one.path !== file.path);
    const pattern =
      /^export (?:declare )?(?:abstract )?(?:const|let|function\*?|class|type|interface) (\w+)/gm;
    for (const [, name] of file.text.matchAll(pattern)) {
      const word = new RegExp(`\\b${name}\\b`);
      const usedHere = file.text.split(word).length > 2;
      const isType = new RegExp(`^export (type|interface) ${name}\\b`, 'm').test(file.text);
      // A type that only its own file names is part of the shape of something exported.
      if (isType && usedHere) continue;
      if (!others.some((other) => word.test(other.text))) faults.push(`${file.path}: ${name}`);
    }
  }
  assert.deepEqual(faults, []);
});

test('no machine is named: no absolute path, no registry address', () => {
  const faults: string[] = [];
  for (const file of files) {
    file.lines.forEach((line, i) => {
      if (/\/(work|root|home)\//.test(line)) faults.push(`${file.path}:${i + 1}`);
    });
  }
  assert.deepEqual(
    faults.filter((fault) => !fault.startsWith('test/tidy.test.ts')),
    [],
  );
  assert.doesNotMatch(readFileSync('package-lock.json', 'utf8'), /"resolved": "https?:/);
});
