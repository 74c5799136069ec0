/** What is looked at, in the part of the address behind `#`: a link to it shows the same. */
import type { Filter } from './scene.ts';

export interface Place {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly atMs: number | undefined;
  readonly operation: number | undefined;
  readonly filter: Filter;
}

export function readAddress(hash: string): Place {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const numberOf = (name: string): number | undefined => {
    const text = fields.get(name);
    const value = text === null || text === '' ? NaN : Number(text);
    return Number.isFinite(value) ? value : undefined;
  };
  return {
    fromMs: numberOf('from'),
    toMs: numberOf('to'),
    atMs: numberOf('at'),
    operation: numberOf('op'),
    filter: {
      key: fields.get('key') ?? undefined,
      process: numberOf('process'),
      node: fields.get('node') ?? undefined,
    },
  };
}

export function addressOf(place: Place): string {
  const { filter } = place;
  const fields = new URLSearchParams();
  const put = (name: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    fields.set(name, typeof value === 'number' ? String(Number(value.toFixed(4))) : value);
  };
  put('from', place.fromMs);
  put('to', place.toMs);
  put('at', place.atMs);
  put('op', place.operation);
  put('key', filter.key);
  put('process', filter.process);
  put('node', filter.node);
  return `#${fields.toString()}`;
}
