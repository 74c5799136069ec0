/** Many watchers of one node: what reaches them, and what that costs the node. */
import { BenchCluster } from '../clusters/bench-cluster.ts';
import { connect, type HoldfastClient, type Watch } from '../../src/client/index.ts';
import { closedLoop } from '../load/closed-loop.ts';
import { microsEach } from '../load/client-handle.ts';
import type { Figures } from '../measure/figures.ts';
import type { Contestant, Point } from '../measure/turns.ts';
import { VALUE_BYTES } from './contestants.ts';
import { contest, type Bench, type Family } from './family.ts';

const WATCHERS = 1000;
const CONNECTIONS = 10;
const PUTS_IN_FLIGHT = 100;
const DRAIN_TIMEOUT = '60s';

interface AudiencePoint extends Point {
  readonly subject?: (i: number) => { readonly prefix?: string; readonly key?: string };
}

const POINTS: readonly AudiencePoint[] = [
  { label: 'nobody watches' },
  { label: '1,000 of one prefix', subject: () => ({ prefix: 'fan/' }) },
  { label: '1,000 of a key each', subject: (i) => ({ key: `fan/${i}` }) },
];

class Audience {
  events = 0;
  readonly #watches: Watch[] = [];

  async open(
    clients: readonly HoldfastClient[],
    subject: NonNullable<AudiencePoint['subject']>,
  ): Promise<void> {
    for (let i = 0; i < WATCHERS; i++) {
      const { registry } = clients[i % clients.length]!;
      const watch = registry.watch({ ...subject(i), previous: false, progress: false });
      this.#watches.push(watch);
      void this.#consume(watch);
    }
    await Promise.all(this.#watches.map((watch) => watch.started));
  }

  async #consume(watch: Watch): Promise<void> {
    for await (const event of watch) if (event.last) this.events++;
  }

  /** Until everyone was told of everything. */
  async drained(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.progress({ timeout: DRAIN_TIMEOUT })));
  }

  async close(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.close()));
  }
}

/** Watchers and the writer are in this process, the node in one of its own. */
async function oneNode(bench: Bench): Promise<Contestant<AudiencePoint>> {
  const { measureMs, profileDirectory } = bench.options;
  const cluster = await BenchCluster.start({ store: 'memory', nodes: 1, profileDirectory });
  const { endpoints } = cluster;
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => connect({ endpoints, requestTimeout: '30s' })),
  );
  const value = new Uint8Array(VALUE_BYTES).fill(97);
  const measure = async ({ subject }: AudiencePoint): Promise<Figures> => {
    const audience = new Audience();
    if (subject !== undefined) await audience.open(clients, subject);
    const begun = performance.now();
    const cpuBefore = await cluster.cpuMs();
    const load = { inFlight: PUTS_IN_FLIGHT, warmUpMs: 0, measureMs };
    const { perSecond, calls } = await closedLoop(load, (sequence) =>
      clients[0]!.registry.put(`fan/${sequence % WATCHERS}`, value),
    );
    await audience.drained();
    const seconds = (performance.now() - begun) / 1000;
    const cpuAfter = await cluster.cpuMs();
    const { events } = audience;
    await audience.close();
    return {
      perSecond,
      eventsPerSecond: events / seconds,
      ...microsEach('serverMicros', cpuBefore, cpuAfter, calls),
      ...microsEach('eventMicros', cpuBefore, cpuAfter, events),
    };
  };
  const stop = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.close()));
    await cluster.stop();
  };
  return { name: 'one node', measure, stop };
}

export const watches: Family = {
  name: 'watches',
  about: '1,000 watchers of one node in memory, 100 puts in flight',
  columns: [
    { figure: 'perSecond', title: 'puts/s', digits: 0 },
    { figure: 'eventsPerSecond', title: 'events/s', digits: 0 },
    { figure: 'serverMicros', title: 'server us/put', digits: 1 },
    { figure: 'eventMicros', title: 'server us/event', digits: 2 },
  ],
  headline: 'eventsPerSecond',
  run: (bench) => contest(bench, 'watches', POINTS, [() => oneNode(bench)]),
};
