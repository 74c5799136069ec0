/** The calls of each kind of load. */
import { unreachable } from '../../src/base/index.ts';
import { compare, op, type Registry, type Session } from '../../src/client/index.ts';
import { percentiles } from '../measure/statistics.ts';
import { keyOf as keyOfMany, KEYS, type LoadFigures, type LoadSpec } from './load-spec.ts';

/** Of a session no client may be late to renew, however loaded the machine. */
const SESSION_TTL_MS = 60_000;
const MIXED_OF = 10;
const CONTENDED = 'contended';

export interface Load {
  readonly call: (sequence: number, worker: number) => Promise<unknown>;
  /** What was seen beside the latency of calls. */
  readonly figures?: () => LoadFigures;
  readonly close?: () => Promise<void>;
}

export async function loadOf(spec: LoadSpec, registries: readonly Registry[]): Promise<Load> {
  const registryOf = (worker: number): Registry => registries[worker % registries.length]!;
  const value = new Uint8Array(spec.valueBytes).fill(97);
  const { operation, keys = KEYS } = spec;
  const keyOf = (sequence: number): string => keyOfMany(sequence, keys);
  switch (operation) {
    case 'put':
      return { call: (sequence, worker) => registryOf(worker).put(keyOf(sequence), value) };
    case 'get':
      return { call: (sequence, worker) => registryOf(worker).get(keyOf(sequence)) };
    case 'lease-get':
      return { call: gets(registryOf, keyOf, 'lease') };
    case 'local-get':
      return { call: gets(registryOf, keyOf, 'local') };
    case 'mixed':
      return {
        call: (sequence, worker) =>
          sequence % MIXED_OF === 0
            ? registryOf(worker).put(keyOf(sequence), value)
            : registryOf(worker).get(keyOf(sequence)),
      };
    case 'transaction':
      return {
        call: (sequence, worker) => {
          const names = [keyOf(sequence), keyOf(sequence + 1), keyOf(sequence + 2)] as const;
          return transaction(registryOf(worker), names, value);
        },
      };
    case 'lock':
      return { call: (_, worker) => lockCycle(registryOf(worker), `locks/${worker}`) };
    case 'contended-lock':
      return await contendedLock(spec, registryOf);
    case 'keep-alive':
      return await keepAlives(spec, registryOf);
    default:
      return unreachable(operation);
  }
}

function gets(
  registryOf: (worker: number) => Registry,
  keyOf: (sequence: number) => string,
  consistency: 'lease' | 'local',
): Load['call'] {
  return (sequence, worker) => registryOf(worker).get(keyOf(sequence), { consistency });
}

function transaction(
  registry: Registry,
  [first, second, third]: readonly [string, string, string],
  value: Uint8Array,
): Promise<unknown> {
  return registry
    .txn()
    .if(compare.exists(first))
    .then(op.put(first, value), op.put(second, value))
    .then(op.get(third))
    .commit();
}

async function lockCycle(registry: Registry, name: string): Promise<void> {
  const lock = await registry.lock(name);
  await lock.unlock();
}

async function sessionsOf(
  count: number,
  registryOf: (worker: number) => Registry,
  keepAlive: boolean,
): Promise<Session[]> {
  const open = (worker: number): Promise<Session> =>
    registryOf(worker).openSession({ ttl: SESSION_TTL_MS, keepAlive });
  return await Promise.all(Array.from({ length: count }, (_, worker) => open(worker)));
}

async function contendedLock(
  spec: LoadSpec,
  registryOf: (worker: number) => Registry,
): Promise<Load> {
  const sessions = await sessionsOf(spec.inFlight, registryOf, true);
  const handOvers: number[] = [];
  let releasedAt = Number.NaN;
  return {
    call: async (_, worker) => {
      const lock = await registryOf(worker).lock(CONTENDED, { session: sessions[worker]! });
      if (!Number.isNaN(releasedAt)) handOvers.push(performance.now() - releasedAt);
      releasedAt = performance.now();
      await lock.unlock();
    },
    figures: () => {
      const { p50, p99 } = percentiles(handOvers);
      return { handOverP50Ms: p50, handOverP99Ms: p99 };
    },
    close: () => closeAll(sessions),
  };
}

async function keepAlives(spec: LoadSpec, registryOf: (worker: number) => Registry): Promise<Load> {
  const sessions = await sessionsOf(spec.sessions ?? spec.inFlight, registryOf, false);
  return {
    call: (sequence) => sessions[sequence % sessions.length]!.keepAlive(),
    close: () => closeAll(sessions),
  };
}

async function closeAll(sessions: readonly Session[]): Promise<void> {
  await Promise.all(sessions.map((session) => session.close()));
}
