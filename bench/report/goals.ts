/** What speed must be and ought to be, by rows of the same run. */
import { medians, ratio, type Row } from '../measure/figures.ts';

export interface Goal {
  readonly text: string;
  readonly must: number;
  readonly goal: number;
  /** Which way is better. */
  readonly better: 'more' | 'less';
  readonly unit: 'x' | '/s' | 'ms';
  /** Undefined when the rows for it were not measured. */
  readonly measured: (rows: readonly Row[]) => number | undefined;
}

export type Verdict = 'goal' | 'must' | 'missed' | 'not measured';

interface Place {
  readonly family: string;
  readonly x?: number;
  readonly point?: string;
  readonly contestant: string;
}

function find(rows: readonly Row[], place: Place): Row | undefined {
  return rows.find(
    (row) =>
      row.family === place.family &&
      row.contestant === place.contestant &&
      (place.x === undefined || row.x === place.x) &&
      (place.point === undefined || row.point === place.point),
  );
}

function ratioOf(one: Place, other: Place, figure = 'perSecond'): Goal['measured'] {
  return (rows) => {
    const [mine, theirs] = [find(rows, one), find(rows, other)];
    return mine === undefined || theirs === undefined ? undefined : ratio(mine, theirs, figure);
  };
}

function figureOf(place: Place, figure: string): Goal['measured'] {
  return (rows) => {
    const row = find(rows, place);
    return row === undefined ? undefined : medians(row.runs)[figure];
  };
}

function against(
  family: string,
  contestant: string,
  x: number,
  other: string,
  figure = 'perSecond',
): Goal['measured'] {
  return ratioOf({ family, contestant, x }, { family, contestant: other, x }, figure);
}

function times(text: string, must: number, goal: number, measured: Goal['measured']): Goal {
  return { text, must, goal, better: 'more', unit: 'x', measured };
}

function atMost(
  text: string,
  must: number,
  goal: number,
  unit: Goal['unit'],
  measured: Goal['measured'],
): Goal {
  return { text, must, goal, better: 'less', unit, measured };
}

const MILLION = 1_000_000;
const LIMITS = { sqlite: 'limit sqlite', level: 'limit level blocks' } as const;
const ONE_LOCK = 'uncontended, 1 client';

function putsAgainstEtcd(store: 'sqlite' | 'level', x: number, must: number, goal: number): Goal {
  const text = `durable put, ${store}, ${x.toLocaleString('en')} in flight, against etcd`;
  return times(text, must, goal, against('put', store, x, 'etcd'));
}

function putsAgainstLimit(store: 'sqlite' | 'level', x: number): Goal {
  const text = `durable put, ${store}, ${x.toLocaleString('en')}, against the bare pipeline`;
  return times(text, 0.4, 0.7, against('put', store, x, LIMITS[store]));
}

function getsAgainstEtcd(x: number, must: number, goal: number): Goal {
  const text = `linearizable get, ${x.toLocaleString('en')} in flight, against etcd`;
  return times(text, must, goal, against('get', 'sqlite', x, 'etcd'));
}

function growth(text: string, family: string, contestant: string, figure: string): Goal {
  const most = { family, contestant, x: MILLION };
  return atMost(text, 1.5, 1.15, 'x', ratioOf(most, { ...most, x: 1000 }, figure));
}

export const GOALS: readonly Goal[] = [
  putsAgainstEtcd('sqlite', 1, 1, 1.3),
  putsAgainstEtcd('sqlite', 100, 2.5, 5),
  putsAgainstEtcd('sqlite', 1000, 2.5, 5),
  putsAgainstEtcd('level', 100, 2, 4),
  putsAgainstEtcd('level', 1000, 2, 4),
  putsAgainstLimit('sqlite', 100),
  putsAgainstLimit('sqlite', 1000),
  putsAgainstLimit('level', 100),
  putsAgainstLimit('level', 1000),
  getsAgainstEtcd(10, 1.5, 2),
  getsAgainstEtcd(100, 2.5, 5),
  getsAgainstEtcd(1000, 3, 6),
  atMost(
    "p99 of put, sqlite, 100 in flight, against etcd's",
    1,
    0.5,
    'x',
    against('put', 'sqlite', 100, 'etcd', 'p99Ms'),
  ),
  times(
    "lock + unlock against etcd's recipe, 1 client",
    3,
    6,
    ratioOf(
      { family: 'locks', contestant: 'sqlite', point: ONE_LOCK },
      { family: 'locks', contestant: 'etcd', point: ONE_LOCK },
    ),
  ),
  {
    text: 'in process, memory, 1,024 clients, one core',
    must: 200_000,
    goal: 600_000,
    better: 'more',
    unit: '/s',
    measured: figureOf({ family: 'in-process', contestant: 'counter', x: 1024 }, 'perSecond'),
  },
  growth('cost of a put in a cluster, 10^6 keys against 10^3', 'keys', 'sqlite', 'serverMicros'),
  growth(
    'cost of a put in the state machine, 10^6 keys against 10^3',
    'apply',
    'overwrite, random',
    'putMicros',
  ),
  atMost(
    'longest event-loop stall during a snapshot of 10^6 keys',
    50,
    10,
    'ms',
    figureOf({ family: 'recovery', contestant: 'sqlite', x: MILLION }, 'stallMs'),
  ),
  atMost(
    'no leader after SIGKILL, default settings, p50',
    1000,
    400,
    'ms',
    figureOf({ family: 'failover', contestant: 'sqlite' }, 'p50Ms'),
  ),
];

export function verdictOf(goal: Goal, measured: number | undefined): Verdict {
  if (measured === undefined || Number.isNaN(measured)) return 'not measured';
  const reaches = (bound: number): boolean =>
    goal.better === 'more' ? measured >= bound : measured <= bound;
  if (reaches(goal.goal)) return 'goal';
  return reaches(goal.must) ? 'must' : 'missed';
}
