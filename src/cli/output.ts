/** How results are printed: for people, for scripts, or as a table. */
import type { RegistryRecord } from '../client/index.ts';
import { usageError } from './exit.ts';

export type Format = 'simple' | 'json' | 'table';

export function parseFormat(text: string): Format {
  if (text === 'simple' || text === 'json' || text === 'table') return text;
  throw usageError(`unknown output format '${text}': -w takes simple, json or table`);
}

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

/** A record as `-w json` prints it. A value that is not UTF-8 is base64, and says so. */
export function recordJson(record: RegistryRecord): Record<string, unknown> {
  const text = valueText(record.value);
  return {
    key: record.key,
    value: text ?? Buffer.from(record.value).toString('base64'),
    ...(text === undefined ? { valueEncoding: 'base64' } : {}),
    createRevision: record.createRevision,
    modRevision: record.modRevision,
    version: record.version,
    session: record.session ?? null,
    expiresAt: record.expiresAt ?? null,
    ttlMs: record.ttlMs === undefined ? null : Math.round(record.ttlMs),
    lock: record.lock ?? null,
    node: record.node,
    time: record.time,
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The value as text, or undefined when it is not UTF-8. */
export function valueText(value: Uint8Array): string | undefined {
  try {
    return utf8.decode(value);
  } catch {
    return undefined;
  }
}

const WIDEST_CELL = 60;

/** For people: text in one line, other bytes as a count. */
export function valueForPeople(value: Uint8Array): string {
  const text = valueText(value);
  return text === undefined ? `<${value.length} bytes>` : inOneLine(text);
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

/** Keys and values may hold anything; a line holds one of them, and moves no terminal's cursor. */
export function inOneLine(text: string): string {
  const shown = Array.from(text, (char) => {
    const code = char.charCodeAt(0);
    if (code >= 32 && (code < 127 || code > 159)) return char;
    return ESCAPES[char] ?? `\\x${code.toString(16).padStart(2, '0')}`;
  });
  return shown.join('');
}

/** Draws rows under a header, columns as wide as they need to be. */
export function table(
  header: readonly string[],
  rows: readonly (readonly (string | number | null | undefined)[])[],
): string {
  const cells = rows.map((row) => row.map(cell));
  const widths = header.map((name, i) =>
    Math.max(name.length, ...cells.map((row) => row[i]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    line(header.map((name) => name.toUpperCase())),
    line(widths.map((width) => '-'.repeat(width))),
    ...cells.map(line),
  ].join('\n');
}

function cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '-';
  const text = inOneLine(String(value));
  return text.length > WIDEST_CELL ? `${text.slice(0, WIDEST_CELL - 1)}…` : text;
}

export function recordTable(records: readonly RegistryRecord[]): string {
  return table(
    ['key', 'value', 'mod', 'version', 'session', 'expires at', 'locked by'],
    records.map((record) => [
      record.key,
      valueForPeople(record.value),
      record.modRevision,
      record.version,
      record.session,
      record.expiresAt === undefined ? null : Math.round(record.expiresAt),
      record.lock === undefined ? null : `${record.lock.session} (token ${record.lock.token})`,
    ]),
  );
}
