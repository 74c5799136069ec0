/**
 * Situations that random runs are meant to reach, counted. One that stays at zero over many runs
 * says that something was not tested.
 */
export const SITUATIONS = {
  leaderElected: 'a leader was elected',
  twoLeaders: 'two leaders of different terms were alive at once',
  leaderDeposed: 'a leader was deposed with entries that never committed',
  logTruncated: 'a conflicting log was cut',
  figure8: 'an entry of an earlier term was on a majority and not committed by counting it',
  snapshotSaved: 'a snapshot was saved',
  snapshotInstalled: 'a snapshot was received and installed',
  snapshotInPartition: 'a snapshot was installed while links were cut',
  messageRepeated: 'a message came twice',
  unsyncedLost: 'a loss of power took what was not synced',
  tornTail: 'a torn write was dropped when a disk was opened',
  crashedWhilePending: 'a node crashed with a write under way',
  writeFailed: 'a write failed and was made again',
  damageFound: 'damage on a disk was found',
  oldDisk: 'a node came back with its disk as it was a while ago',
  nodeWiped: 'a node came back with an empty disk',
  frameRefused: 'a damaged frame was refused',
  messageCut: 'a message was lost in a partition',
  messageLost: 'a message was lost on its way',
  clientCut: 'a connection of a client broke',
  unknownOutcome: 'a client did not hear what became of its write',
  writeRepeated: 'a client sent a write again',
  membershipChanged: 'the membership changed',
  leadershipTransferred: 'leadership was handed over',
  processPaused: 'a process stood still',
} as const;

export type Situation = keyof typeof SITUATIONS;

export class Sometimes {
  readonly #counts = new Map<Situation, number>();

  met(situation: Situation): void {
    this.#counts.set(situation, (this.#counts.get(situation) ?? 0) + 1);
  }

  /** Every situation, also those never met. */
  counts(): Record<string, number> {
    const names = Object.keys(SITUATIONS) as Situation[];
    return Object.fromEntries(names.map((name) => [name, this.#counts.get(name) ?? 0]));
  }
}
