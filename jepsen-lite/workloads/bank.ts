/** Transfers between accounts, each one transaction, and reads of all accounts at once. */
import {
  compare,
  op,
  type Operation,
  type Registry,
  type RegistryRecord,
} from '../../src/client/index.ts';
import { bank } from '../checkers/bank.ts';
import { revisions } from '../checkers/revisions.ts';
import { below } from './chance.ts';
import { recordsOf } from './listing.ts';
import type { CreateWorkload, WorkloadContext } from './workload.ts';

const PREFIX = 'bank/';
const ACCOUNTS = ['a', 'b', 'c', 'd', 'e'];
const OPENING = 20;
const MAX_AMOUNT = 8;
const MAX_PAUSE_MS = 25;
/** Attempts to open the accounts; nothing is wrong yet when that is done. */
const OPENING_ATTEMPTS = 50;

export const bankWorkload: CreateWorkload = () => ({
  name: 'bank',
  promise: 'money is moved in one step or not at all',
  checkers: [bank, revisions],
  setup: openAccounts,
  async run(context) {
    while (!context.stopped()) {
      if (context.random() < 0.6) await transfer(context);
      else await read(context);
      await context.pause(context.random() * MAX_PAUSE_MS);
    }
  },
  async finish(context) {
    await transfer(context);
    await read(context);
  },
});

async function openAccounts(context: WorkloadContext): Promise<void> {
  const value = Object.fromEntries(ACCOUNTS.map((account) => [account, OPENING]));
  const puts = ACCOUNTS.map((account) => op.put(`${PREFIX}${account}`, String(OPENING)));
  for (let attempt = 0; attempt < OPENING_ATTEMPTS; attempt++) {
    const opened = await context.invoke(
      'accounts',
      { value },
      async () => {
        const absent = compare.absent({ prefix: PREFIX });
        return context.registry
          .txn()
          .if(absent)
          .then(...puts)
          .commit();
      },
      ({ revision }) => ({ output: null, revision }),
    );
    if (opened !== undefined) return;
    await context.pause(MAX_PAUSE_MS);
  }
}

/** The revision in which money was moved. */
type Moved = { readonly revision: number } | undefined;

async function transfer(context: WorkloadContext): Promise<void> {
  const from = below(context, ACCOUNTS.length);
  const to = (from + 1 + below(context, ACCOUNTS.length - 1)) % ACCOUNTS.length;
  const amount = 1 + below(context, MAX_AMOUNT);
  const [giver, taker] = [ACCOUNTS[from]!, ACCOUNTS[to]!];
  const change = context.random() < 0.5 ? byIncrement : byPut;
  await context.invoke(
    'transfer',
    { value: { from: giver, to: taker, amount } },
    async () => ({
      moved: await move(context.registry, PREFIX + giver, PREFIX + taker, amount, change),
    }),
    ({ moved }) => ({ output: moved !== undefined, ...moved }),
  );
}

interface Move {
  readonly giver: string;
  readonly taker: string;
  readonly amount: number;
  /** The balances that were read. */
  readonly has: number;
  readonly gets: number;
}

type Change = (move: Move) => readonly Operation<RegistryRecord>[];

const byIncrement: Change = ({ giver, taker, amount }) => [
  op.increment(giver, -amount),
  op.increment(taker, amount),
];

/** Hangs on both compares: what was read is the base of what is written. */
const byPut: Change = ({ giver, taker, amount, has, gets }) => [
  op.put(giver, String(has - amount)),
  op.put(taker, String(gets + amount)),
];

/** Changes both balances if they are as they were read; what was refused has moved nothing. */
async function move(
  registry: Registry,
  giver: string,
  taker: string,
  amount: number,
  change: Change,
): Promise<Moved> {
  for (;;) {
    const has = await registry.get(giver);
    const gets = await registry.get(taker);
    if (has === undefined || gets === undefined || Number(has.text()) < amount) return undefined;
    const { succeeded, revision } = await registry
      .txn()
      .if(
        compare.modRevision(giver).equals(has.modRevision),
        compare.modRevision(taker).equals(gets.modRevision),
      )
      .then(...change({ giver, taker, amount, has: Number(has.text()), gets: Number(gets.text()) }))
      .commit();
    if (succeeded) return { revision };
  }
}

async function read(context: WorkloadContext): Promise<void> {
  await context.invoke(
    'read',
    {},
    () => recordsOf(context.registry, PREFIX),
    ({ records, revision }) => ({
      output: Object.fromEntries(
        records.map((one) => [one.key.slice(PREFIX.length), Number(one.text())]),
      ),
      revision,
    }),
  );
}
