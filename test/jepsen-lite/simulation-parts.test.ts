/** The world that simulated clusters live in: time, processes, disks, connections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawFaults } from '../../jepsen-lite/faults/draw-faults.ts';
import type { Fault } from '../../jepsen-lite/faults/fault.ts';
import { SimulatedDisk } from '../../jepsen-lite/simulation/disk.ts';
import { Clock, Life } from '../../jepsen-lite/simulation/life.ts';
import { SimulatedMedium } from '../../jepsen-lite/simulation/medium.ts';
import { createRandom, Dice } from '../../jepsen-lite/simulation/random.ts';
import { World } from '../../jepsen-lite/simulation/world.ts';
import { BackedLogStore, BlockBackend } from '../../src/log-store/index.ts';
import type { Entry, LogIndex, Term } from '../../src/raft/index.ts';

test('[JEPSEN-14] a process that stands still does it later, in order', async () => {
  const world = new World();
  const life = new Life(world, 'a');
  const done: string[] = [];
  life.stalledUntil = 10;
  world.at(1, () => life.run(() => done.push('first')));
  // A second stall begins before the first is over.
  world.at(5, () => {
    life.stalledUntil = 20;
  });
  world.at(6, () => life.run(() => done.push('second')));
  world.at(15, () => life.run(() => done.push('third')));
  life.setTimer(2, () => done.push('timer'));
  await world.runUntil(19);
  assert.deepEqual(done, []);
  await world.runUntil(30);
  assert.deepEqual(done, ['first', 'timer', 'second', 'third']);
});

test('[JEPSEN-14] timers follow the clock of their process, never early', async () => {
  const world = new World();
  const dice = new Dice(createRandom(3));
  for (let i = 0; i < 200; i++) {
    const clock = new Clock(world, 1_000_000 * dice.random());
    clock.rate = dice.between(0.5, 1.5);
    const life = new Life(world, 'a', { clock });
    const dueMs = life.now() + dice.between(0, 100);
    let firedMs = -1;
    life.setTimer(dueMs - life.now(), () => {
      firedMs = life.now();
    });
    await world.run(dice.between(0, 300));
    if (firedMs >= 0) assert.ok(firedMs >= dueMs && firedMs < dueMs + 0.1, `${firedMs - dueMs}`);
  }
});

function entry(at: number): Entry {
  const data = new TextEncoder().encode(`entry ${at}`);
  return {
    type: 'command',
    index: at as LogIndex,
    term: 1 as Term,
    time: at,
    data,
    recorded: undefined,
  };
}

interface Machine {
  readonly world: World;
  readonly disk: SimulatedDisk;
  readonly boot: () => { readonly life: Life; readonly store: BackedLogStore };
}

function machine(seed: number): Machine {
  const world = new World(seed);
  const options = { minLatencyMs: 1, maxLatencyMs: 2, isSynchronous: false };
  const disk = new SimulatedDisk(options, new Dice(createRandom(seed)));
  const boot: Machine['boot'] = () => {
    const life = new Life(world, 'a');
    const store = new BackedLogStore(new BlockBackend(new SimulatedMedium(disk, life, world)));
    return { life, store };
  };
  return { world, disk, boot };
}

/** Runs the world until the promise is settled. */
async function settled<T>(world: World, promise: Promise<T>): Promise<T> {
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  promise.then(over, over);
  await world.until('it is settled', () => isOver);
  return await promise;
}

const OPEN = { newStoreId: 'one' };

test('[JEPSEN-15] what a disk acknowledged survives; the rest may', async () => {
  const lengths = new Set<number>();
  for (let seed = 1; seed <= 20; seed++) {
    const { world, disk, boot } = machine(seed);
    const { life, store } = boot();
    await settled(world, store.open(OPEN));
    await settled(world, store.write({ entries: [entry(1), entry(2)] }));
    void store.write({ entries: [entry(3)] });
    assert.ok(disk.pending !== undefined);
    life.end();
    disk.crash(true);
    const recovered = await settled(world, boot().store.open(OPEN));
    assert.equal(recovered.storeId, 'one');
    lengths.add(recovered.lastIndex);
  }
  assert.deepEqual(
    [...lengths].toSorted((one, other) => one - other),
    [2, 3],
  );
});

test('[JEPSEN-15] what was not synced may go with the power, and stays without its loss', () => {
  const kept = { power: 0, process: 0 };
  for (let seed = 1; seed <= 20; seed++) {
    for (const what of ['power', 'process'] as const) {
      const { disk } = machine(seed);
      disk.putChunk(7, 0, Uint8Array.of(seed));
      const isLost = disk.crash(what === 'power');
      const isThere = disk.image.chunks.get(7)?.has(0) === true;
      assert.equal(isLost, !isThere);
      if (isThere) kept[what] += 1;
    }
  }
  assert.equal(kept.process, 20);
  assert.ok(kept.power > 0 && kept.power < 20, `${kept.power} of 20 chunks outlived the power`);
});

test('[JEPSEN-15] flipped bits and blocks in wrong places are found', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { world, disk, boot } = machine(seed);
    const { life, store } = boot();
    await settled(world, store.open(OPEN));
    await settled(world, store.write({ metadata: { term: 1 as Term, votedFor: undefined } }));
    for (let at = 1; at <= 4; at++) {
      if (at === 4 && seed % 3 === 0) disk.misdirectNext = true;
      await settled(world, store.write({ entries: [entry(at)] }));
    }
    if (seed % 3 !== 0) assert.ok(disk.flipBit(seed / 61) !== undefined);
    assert.ok(disk.damage !== undefined);
    life.end();
    await assert.rejects(settled(world, boot().store.open(OPEN)), { code: 'corrupt-data' });
  }
});

test('[JEPSEN-15] a disk that is full, broken or stuck says so, and heals', async () => {
  const { world, disk, boot } = machine(1);
  const { store } = boot();
  await settled(world, store.open(OPEN));
  disk.set({ type: 'stuck' });
  const write = store.write({ entries: [entry(1)] });
  await world.run(10_000);
  assert.equal(store.lastIndex(), 0);
  disk.set(undefined);
  await settled(world, write);
  disk.set({ type: 'full' });
  const refused = settled(world, store.write({ entries: [entry(2)] }));
  await assert.rejects(refused, { code: 'disk-full' });
  disk.set({ type: 'error', written: true });
  await settled(world, store.close());
  await assert.rejects(settled(world, store.open(OPEN)), { code: 'disk-failed' });
  disk.set(undefined);
  assert.equal((await settled(world, store.open(OPEN))).lastIndex, 1);
});

test('[JEPSEN-16] every kind of fault is drawn, within its time', () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 300; seed++) {
    const targets = { nodes: ['a', 'b', 'c', 'd', 'e'], clients: 2, faultsMs: 30_000 };
    const pace = { electionTimeoutMs: 300, clocksMayPart: true };
    const faults = drawFaults(new Dice(createRandom(seed)), { ...targets, ...pace });
    for (const fault of faults) {
      kinds.add(fault.type === 'partition' ? `partition ${fault.shape}` : fault.type);
      assert.ok(fault.atMs >= 0 && fault.atMs <= 30_000 && fault.forMs >= 0);
    }
  }
  const shapes = ['one', 'halves', 'majorityRing', 'bridge', 'oneWay', 'leader'];
  const others =
    'weather slowLink crash powerLoss pause clientPause clientCut clockRate clockJump disk ' +
    'damage oldDisk wipe membership transfer';
  const expected = [...shapes.map((shape) => `partition ${shape}`), ...others.split(' ')];
  assert.deepEqual([...kinds].toSorted(), expected.toSorted());
});

test('[KIT-1] where leases count, some leaders hear late and are heard no more', () => {
  const nodes = ['n1', 'n2', 'n3'];
  const drawn = (seed: number, clocksMayPart: boolean, ...kinds: string[]): readonly Fault[] => {
    const targets = { nodes, clients: 2, faultsMs: 10_000, electionTimeoutMs: 150, clocksMayPart };
    const chosen = kinds.length === 0 ? targets : { ...targets, kinds: new Set(kinds) };
    return drawFaults(new Dice(createRandom(seed)), chosen);
  };
  const isLate = (faults: readonly Fault[]): boolean =>
    faults.some((cut) => {
      if (cut.type !== 'partition' || cut.shape !== 'oneWay') return false;
      const slow = faults.filter(
        (one) =>
          one.type === 'slowLink' &&
          cut.links.some(([sender, receiver]) => sender === one.to && receiver === one.from) &&
          one.atMs < cut.atMs &&
          one.atMs + one.forMs > cut.atMs + cut.forMs,
      );
      return slow.length === nodes.length - 1;
    });
  const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
  assert.ok(seeds.filter((seed) => isLate(drawn(seed, false))).length > 3);
  assert.ok(!seeds.some((seed) => isLate(drawn(seed, true))));
  const kinds = new Set(seeds.flatMap((seed) => drawn(seed, false, 'crash').map((f) => f.type)));
  assert.deepEqual([...kinds], ['crash'], 'what is not wanted is in no story, either');
});
