/** The two line formats that `import` reads and `export` writes. */
import { valueText } from './output.ts';

export interface ImportRecord {
  readonly key: string;
  readonly value: Uint8Array | string;
}

export type ParsedLine =
  | { readonly type: 'record'; readonly record: ImportRecord }
  | { readonly type: 'blank' }
  | { readonly type: 'bad'; readonly reason: string };

/**
 * One line of an import: `key TAB value`, or a JSON object with `key` and `value`, and with
 * `valueEncoding: "base64"` for bytes. A key that begins with `{` needs the JSON form.
 */
export function parseLine(line: string): ParsedLine {
  if (line.trim() === '') return { type: 'blank' };
  return line.startsWith('{') ? parseJsonLine(line) : parseTsvLine(line);
}

function parseTsvLine(line: string): ParsedLine {
  const tab = line.indexOf('\t');
  if (tab < 0) return { type: 'bad', reason: 'no TAB between key and value' };
  if (tab === 0) return { type: 'bad', reason: 'the key is empty' };
  return { type: 'record', record: { key: line.slice(0, tab), value: line.slice(tab + 1) } };
}

function parseJsonLine(line: string): ParsedLine {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return { type: 'bad', reason: 'not JSON' };
  }
  if (typeof parsed !== 'object' || parsed === null) return { type: 'bad', reason: 'no object' };
  const { key, value, valueEncoding } = parsed as Record<string, unknown>;
  if (typeof key !== 'string' || key === '') {
    return { type: 'bad', reason: 'needs a "key" that is a non-empty string' };
  }
  if (value === undefined) return { type: 'bad', reason: 'needs a "value"' };
  if (valueEncoding === undefined) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return { type: 'record', record: { key, value: text } };
  }
  if (valueEncoding !== 'base64' || typeof value !== 'string') {
    return { type: 'bad', reason: '"valueEncoding" can only be "base64", of a string' };
  }
  return { type: 'record', record: { key, value: Buffer.from(value, 'base64') } };
}

/** A JSON line that `parseLine` reads back to the same key and bytes. */
export function jsonLine(key: string, value: Uint8Array): string {
  const text = valueText(value);
  if (text !== undefined) return JSON.stringify({ key, value: text });
  const encoded = Buffer.from(value).toString('base64');
  return JSON.stringify({ key, value: encoded, valueEncoding: 'base64' });
}

/** A TSV line, or undefined when TAB or line breaks in key or value forbid it. */
export function tsvLine(key: string, value: Uint8Array): string | undefined {
  const text = valueText(value);
  if (text === undefined || /[\t\r\n]/.test(key) || /[\r\n]/.test(text) || key.startsWith('{')) {
    return undefined;
  }
  return `${key}\t${text}`;
}
