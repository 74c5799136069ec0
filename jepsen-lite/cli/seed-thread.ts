/** A thread that runs the seeds it is told, one after another. */
import { parentPort, workerData } from 'node:worker_threads';
import { reportOfSeed, type SeedOrder } from './seed-report.ts';

const order = workerData as SeedOrder;

parentPort?.on('message', (seed: number) => {
  void run(seed);
});

/** What is thrown ends the thread, and whoever waits for the seed hears of it. */
async function run(seed: number): Promise<void> {
  parentPort?.postMessage(await reportOfSeed(seed, order), []);
}
