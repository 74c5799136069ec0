/** Candidates that campaign for one office, lead for a while, and resign or die; and observers. */
import type { ElectionEvent, ElectionLeader, Leadership } from '../../src/client/index.ts';
import { election } from '../checkers/election.ts';
import { inBackground } from './background.ts';
import { below } from './chance.ts';
import { closeSession, openSession } from './session-use.ts';
import type { Answer, CreateWorkload, WorkloadContext } from './workload.ts';

const KEY = 'office/0';
const PATIENCE_MS = 4_000;
const MAX_PAUSE_MS = 60;

export const electionWorkload: CreateWorkload = () => {
  let said = 0;
  return {
    name: 'election',
    promise: 'one leads at a time, and observers see leaders in their order',
    trustsClocks: true,
    checkers: [election],
    async run(context, client) {
      const observer = inBackground(context, (signal) => observe(context, `${client}`, signal));
      while (!context.stopped()) {
        if (context.random() < 0.4) await look(context);
        else await campaign(context, () => `said ${said++}`);
        await context.pause(context.random() * MAX_PAUSE_MS);
      }
      await observer.stop();
    },
    async finish(context) {
      await campaign(context, () => `said ${said++}`);
      await look(context);
    },
  };
};

async function look(context: WorkloadContext): Promise<void> {
  await context.invoke(
    'leader',
    { key: KEY },
    async () => ({ leader: await context.registry.election(KEY).leader() }),
    ({ leader }) => ({ output: leader === undefined ? null : told(leader) }),
  );
}

function told(leader: ElectionLeader): Record<string, unknown> {
  return { token: leader.token, session: leader.session, value: leader.text() };
}

async function campaign(context: WorkloadContext, nextValue: () => string): Promise<void> {
  const session = await openSession(context, { keepAlive: true });
  if (session === undefined) return;
  const value = nextValue();
  const leadership = await context.invoke(
    'campaign',
    { key: KEY, value: { session: session.id, value } },
    () => context.registry.election(KEY).campaign(value, { session, wait: PATIENCE_MS }),
    ({ token }) => ({ output: token }),
  );
  if (leadership !== undefined) await lead(context, leadership, nextValue);
  await closeSession(context, session);
}

async function lead(
  context: WorkloadContext,
  leadership: Leadership,
  nextValue: () => string,
): Promise<void> {
  const session = { session: leadership.session };
  for (let step = below(context, 4); step > 0; step--) {
    await context.pause(context.random() * MAX_PAUSE_MS);
    if (!(await isLeading(context, leadership))) return;
    if (context.random() < 0.5) {
      const value = nextValue();
      await context.invoke('proclaim', { key: KEY, value: { ...session, value } }, () =>
        leadership.proclaim(value),
      );
    }
  }
  if (context.random() < 0.3 || !(await isLeading(context, leadership))) return;
  await context.invoke('resign', { key: KEY, value: session }, () => leadership.resign());
}

async function isLeading(context: WorkloadContext, leadership: Leadership): Promise<boolean> {
  // What was due while everything stood still comes first.
  await context.pause(0);
  const leads = !leadership.signal.aborted;
  const value = { session: leadership.session };
  context.note(leads ? 'holding' : 'lost', { key: KEY, value });
  return leads;
}

async function observe(
  context: WorkloadContext,
  observer: string,
  signal: AbortSignal,
): Promise<void> {
  for await (const event of context.registry.election(KEY).observe({ signal })) {
    context.note('observed', { key: KEY, value: { observer }, ...answerOf(event) });
  }
}

function answerOf(event: ElectionEvent): Answer {
  if (event.type === 'vacant') return { output: { type: 'vacant' }, revision: event.revision };
  const { leader } = event;
  return { output: { type: event.type, ...told(leader) }, revision: leader.revision };
}
