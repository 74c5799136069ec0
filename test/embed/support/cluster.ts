import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Holdfast,
  MemoryLogStore,
  type HoldfastNode,
  type RegistryNodeOptions,
} from '../../../src/index.ts';

/** Quick elections, so that tests are quick. */
export const SETTINGS = { tickMs: 10, heartbeatMs: 30, electionTimeoutMs: 200 };

/** Addresses on loopback that were free a moment ago. */
export async function freeAddresses(count: number): Promise<string[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const addresses: string[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    addresses.push(`127.0.0.1:${address.port}`);
  }
  await Promise.all(servers.map((one) => new Promise((resolve) => one.close(resolve))));
  return addresses;
}

export interface TestCluster extends AsyncDisposable {
  readonly nodes: readonly HoldfastNode[];
  readonly endpoints: readonly string[];
  leader(): Promise<HoldfastNode>;
}

/** Three nodes in this process that share nothing but loopback. */
export async function startCluster(
  options: Partial<RegistryNodeOptions> = {},
): Promise<TestCluster> {
  const endpoints = await freeAddresses(3);
  const ids = ['a', 'b', 'c'];
  const peers = Object.fromEntries(ids.map((id, i) => [id, endpoints[i] ?? '']));
  const nodes = await Promise.all(
    ids.map((id) =>
      Holdfast.start({
        id,
        listen: peers[id] ?? '',
        peers,
        store: new MemoryLogStore(),
        settings: SETTINGS,
        ...options,
      }),
    ),
  );
  return {
    nodes,
    endpoints,
    leader: async () => {
      let found: HoldfastNode | undefined;
      await until('a leader', () => {
        found = nodes.find((node) => node.status().role === 'leader');
        return found !== undefined;
      });
      if (found === undefined) throw new Error('no leader');
      return found;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

/** Waits for a condition, generously. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endAt = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > endAt) throw new Error(`${what}: not within 20 s`);
    await sleep(5);
  }
}
