/** The page's colours, read from its styles, so that light and dark are said in one place. */
import type { FaultFamily } from '../fault-text.ts';
import { KIND_COLORS } from '../kinds.ts';
import type { NodeDisk, NodeRole } from '../../simulation/run-record.ts';

export interface Theme {
  readonly panel: string;
  readonly ink: string;
  readonly muted: string;
  readonly faint: string;
  readonly line: string;
  readonly accent: string;
  /** Operations seen from far away. */
  readonly dense: string;
  readonly onAccent: string;
  readonly fail: string;
  readonly warn: string;
  readonly roles: Readonly<Record<NodeRole, string>>;
  readonly disks: Readonly<Record<NodeDisk, string>>;
  readonly families: Readonly<Record<FaultFamily, string>>;
  /** For what clients call, by order of appearance. */
  readonly kinds: readonly string[];
  readonly text: string;
  readonly mono: string;
}

export function readTheme(): Theme {
  const styles = getComputedStyle(document.documentElement);
  const color = (name: string): string => styles.getPropertyValue(`--${name}`).trim();
  return {
    panel: color('panel'),
    ink: color('ink'),
    muted: color('muted'),
    faint: color('faint'),
    line: color('line'),
    accent: color('accent'),
    dense: color('dense'),
    onAccent: color('on-accent'),
    fail: color('fail'),
    warn: color('warn'),
    roles: {
      leader: color('accent'),
      candidate: color('warn'),
      preCandidate: color('warn'),
      follower: color('follower'),
      learner: color('learner'),
      outside: color('faint'),
    },
    disks: {
      ok: color('line'),
      slow: color('warn'),
      stuck: color('disk'),
      failing: color('fail'),
      full: color('disk'),
      damaged: color('fail'),
      wiped: color('fail'),
    },
    families: {
      network: color('network'),
      process: color('process'),
      clock: color('clock'),
      disk: color('disk'),
      membership: color('membership'),
      client: color('client'),
    },
    kinds: Array.from({ length: KIND_COLORS }, (_, i) => color(`kind-${i}`)),
    text: color('text-font'),
    mono: color('mono-font'),
  };
}

/** A colour between two `#rrggbb`: 0 is the first, 1 the second. */
export function mixed(from: string, to: string, share: number): string {
  if (share <= 0) return from;
  if (share >= 1) return to;
  const parts = [1, 3, 5].map((at) => {
    const value = Math.round(colorPart(from, at) * (1 - share) + colorPart(to, at) * share);
    return value.toString(16).padStart(2, '0');
  });
  return `#${parts.join('')}`;
}

function colorPart(color: string, at: number): number {
  return Number.parseInt(color.slice(at, at + 2), 16);
}
