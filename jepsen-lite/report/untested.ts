/** What a run says nothing about: as honest a part of its report as what it says. */
import type { Fault } from '../faults/fault.ts';
import type { RunRecord } from '../simulation/run-record.ts';
import { FAULT_FAMILIES, wasCarriedOut } from './fault-text.ts';
import { sentenceOf, situationText } from './words.ts';

const FAULT_WORDS: Readonly<Record<Fault['type'], string>> = {
  partition: 'partitions',
  weather: 'lost, doubled or late messages',
  slowLink: 'slow links',
  crash: 'crashes',
  powerLoss: 'power loss of all',
  pause: 'pauses',
  clientPause: 'pauses of clients',
  clientCut: 'cut client connections',
  clockRate: 'clocks of other speed',
  clockJump: 'clock jumps',
  disk: 'bad disks',
  damage: 'damaged records',
  wipe: 'wiped disks',
  oldDisk: 'old disks put back',
  membership: 'changes of membership',
  transfer: 'handed over leadership',
};

/** A sentence each. */
export function untestedOf(record: RunRecord): string[] {
  const { faults, sometimes, results, history, notTested } = record;
  const sentences: string[] = [];
  const met = new Set<string>(faults.filter(wasCarriedOut).map(({ fault }) => fault.type));
  const absent = (Object.keys(FAULT_FAMILIES) as Fault['type'][]).filter((type) => !met.has(type));
  if (absent.length > 0) {
    sentences.push(
      `No such fault in this run: ${absent.map((type) => FAULT_WORDS[type]).join(', ')}.`,
    );
  }
  const names = Object.keys(sometimes).filter((name) => sometimes[name] === 0);
  const never = names.map(situationText);
  if (never.length > 0) sentences.push(`Never came about: ${never.join('; ')}.`);
  for (const { checker, verdict } of results) {
    if (verdict.type === 'unknown') sentences.push(`${checker} gave no answer: ${verdict.why}.`);
  }
  if (results.length === 0) sentences.push('No checker looked at the history.');
  if (history.length === 0) sentences.push('No client called anything.');
  return [...sentences, ...notTested.map(sentenceOf)];
}
