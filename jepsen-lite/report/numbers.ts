/** Numbers and times as people read them, in the page and in its script. */

/** `12.3 s` where the view is a minute wide, `12.34500 s` where it is a few milliseconds. */
export function timeText(ms: number, spanMs: number): string {
  if (spanMs >= 50_000) return `${(ms / 1000).toFixed(1)} s`;
  if (spanMs >= 2_000) return `${(ms / 1000).toFixed(2)} s`;
  if (spanMs >= 20) return `${(ms / 1000).toFixed(3)} s`;
  return `${(ms / 1000).toFixed(5)} s`;
}

export function durationText(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 1_000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms >= 10) return `${ms.toFixed(0)} ms`;
  if (ms >= 1) return `${ms.toFixed(1)} ms`;
  return `${(ms * 1000).toFixed(0)} µs`;
}

/** Thousands apart, with thin spaces. */
export function countText(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
}

/** A value of the history as it stands there, cut to a length. */
export function valueText(value: unknown, maxLength = 60): string {
  const text = value === undefined ? '' : JSON.stringify(value);
  return text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
}

/** `1 run`, `12000 runs`: for terminals and scripts. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

export function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}
