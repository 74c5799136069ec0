/** Who is right: what more than half of all voters hold. */
import type { MemberStatus } from '../protocol/index.ts';
import type { Verification, VerifiedMember } from './verify-types.ts';

/** What a member's tree said of the index at which all are compared. */
export type Compared =
  | {
      readonly type: 'read';
      readonly root: string;
      readonly revision: number;
      readonly keys: number;
    }
  /** It has applied the lock and does not know it: its state is another one. */
  | { readonly type: 'strange'; readonly note: string }
  | { readonly type: 'behind' | 'unreachable'; readonly note: string };

export type Reading = { readonly member: MemberStatus } & Compared;

type Read = Extract<Reading, { readonly type: 'read' }>;

/** All but the log index and revision they were compared at; differences are not named yet. */
export type Verdict = Omit<Verification, 'index' | 'revision'>;

export function judge(readings: readonly Reading[]): Verdict {
  const groups = new Map<string, Read[]>();
  for (const reading of readings) {
    if (reading.type !== 'read') continue;
    const holds = `${reading.root} ${reading.revision}`;
    const group = groups.get(holds);
    if (group === undefined) groups.set(holds, [reading]);
    else group.push(reading);
  }
  const voters = readings.filter(({ member }) => member.role === 'voter').length;
  const largest = [...groups.values()].toSorted((a, b) => votesOf(b) - votesOf(a))[0] ?? [];
  const majority = votesOf(largest) * 2 > voters;
  const strange = readings.some(({ type }) => type === 'strange');
  const diverged = groups.size > 1 || (strange && groups.size > 0);
  const right = majority || !diverged ? largest : [];
  return {
    keys: largest[0]?.keys ?? 0,
    members: readings.map((reading) => verified(reading, right)),
    diverged,
    majority,
    reference: largest[0]?.member.id ?? '',
  };
}

function votesOf(group: readonly Read[]): number {
  return group.filter(({ member }) => member.role === 'voter').length;
}

function verified(reading: Reading, right: readonly Read[]): VerifiedMember {
  const { id } = reading.member;
  const nothing = { differences: [], differing: 0, more: false } as const;
  if (reading.type === 'read') {
    const { root, revision } = reading;
    const equal = right.some((one) => one === reading);
    return { id, state: equal ? 'equal' : 'diverged', root, revision, ...nothing, note: '' };
  }
  const { type, note } = reading;
  const state = type === 'strange' ? 'diverged' : type;
  return { id, state, root: undefined, revision: undefined, ...nothing, note };
}
