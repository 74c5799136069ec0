import { HoldfastError, type HoldfastClient } from 'holdfast/client';
import type { Package } from './packages.ts';
import { say } from './report.ts';

/** Key to value of every put that was acknowledged. */
export type Acknowledged = Map<string, string>;

const IN_FLIGHT = 64;

/**
 * Puts every package, 64 at a time, and notes which were acknowledged. A put whose outcome is
 * unknown is noted as neither; the client itself retries what can be retried without harm.
 */
export async function importPackages(
  client: HoldfastClient,
  packages: readonly Package[],
  prefix: string,
  acknowledged: Acknowledged,
  onAcknowledged: (count: number) => void = () => undefined,
): Promise<void> {
  const started = performance.now();
  let next = 0;
  let count = 0;
  let unknown = 0;
  const worker = async (): Promise<void> => {
    for (let one = packages[next++]; one !== undefined; one = packages[next++]) {
      const key = prefix + one.name;
      try {
        await client.registry.put(key, one.version);
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        unknown++;
        continue;
      }
      acknowledged.set(key, one.version);
      onAcknowledged(++count);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const seconds = (performance.now() - started) / 1000;
  const rate = Math.round(count / seconds);
  const rest = unknown === 0 ? '' : `, ${unknown} not acknowledged`;
  say(`${count} puts under ${prefix} acknowledged in ${seconds.toFixed(2)} s (${rate}/s)${rest}`);
}

/** The acknowledged keys that are absent or hold another value. */
export async function missingKeys(
  client: HoldfastClient,
  acknowledged: Acknowledged,
): Promise<string[]> {
  const found = new Map<string, string>();
  for await (const record of client.registry.records()) found.set(record.key, record.text());
  return [...acknowledged].filter(([key, value]) => found.get(key) !== value).map(([key]) => key);
}
