/** Names and values of a record as words. */
import { SITUATIONS } from '../simulation/sometimes.ts';

const SITUATION_TEXTS: Readonly<Record<string, string>> = SITUATIONS;
/** Of drawn numbers, so many digits tell enough. */
const DIGITS = 4;

/** What a sometimes-counter counts, as a sentence where it is known: `a snapshot was saved`. */
export function situationText(name: string): string {
  return Object.hasOwn(SITUATION_TEXTS, name) ? SITUATION_TEXTS[name]! : name;
}

/** A setting in one line: `tickMs 60, slowWriteMs 600`, `0.51; 2.203`. */
export function settingText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(Number(value.toPrecision(DIGITS)));
  if (Array.isArray(value)) return value.map(settingText).join('; ');
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value);
  return entries.map(([name, one]) => `${name} ${settingText(one)}`).join(', ');
}

/** Begins with a capital and ends with a point. */
export function sentenceOf(text: string): string {
  const whole = /[.!?]$/.test(text) ? text : `${text}.`;
  return whole.slice(0, 1).toUpperCase() + whole.slice(1);
}
