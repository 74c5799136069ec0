/**
 * Faults that do nothing. No cluster could show that, so it is to be noticed by what comes about no
 * more.
 */
import type { Mutant } from './mutant.ts';

const NETWORK = 'jepsen-lite/simulation/network.js';
const DISK = 'jepsen-lite/simulation/disk.js';
const INJECTOR = 'jepsen-lite/simulation/injector.js';

/** A fault that does nothing; `name` is the situation that it should bring about. */
function idleFault(name: string, mutant: Omit<Mutant, 'noticedBy'>): Mutant {
  return { ...mutant, noticedBy: { type: 'situation', name } };
}

export const faultMutants: readonly Mutant[] = [
  idleFault('messageCut', {
    id: 'partition',
    breaks: 'a partition cuts nothing',
    file: NETWORK,
    text: 'this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1);',
    replacement: 'void link;',
  }),
  idleFault('messageLost', {
    id: 'loss',
    breaks: 'no message is lost',
    file: NETWORK,
    text: 'if (loss > 0 && random() < loss) {',
    replacement: 'if (loss > 1) {',
  }),
  idleFault('messageRepeated', {
    id: 'duplicate',
    breaks: 'no message comes twice',
    file: NETWORK,
    text: 'if (duplicate > 0 && random() < duplicate) {',
    replacement: 'if (duplicate > 1) {',
  }),
  idleFault('frameRefused', {
    id: 'corrupt',
    breaks: 'no frame is damaged',
    file: NETWORK,
    text: 'const isDamaged = corrupt > 0 && random() < corrupt;',
    replacement: 'const isDamaged = false;',
  }),
  idleFault('unsyncedLost', {
    id: 'power',
    breaks: 'a disk without power keeps what was never synced',
    file: DISK,
    text: 'for (const lose of undo)',
    replacement: 'for (const lose of [])',
  }),
  idleFault('tornTail', {
    id: 'torn',
    breaks: 'no write is torn by a crash',
    file: DISK,
    text: 'this.tornTail = true;',
    replacement: '',
  }),
  idleFault('writeFailed', {
    id: 'disk-error',
    breaks: 'a failing disk takes every write',
    file: 'jepsen-lite/simulation/medium.js',
    text: 'const { trouble } = this.#disk;',
    replacement: 'const trouble = undefined;',
  }),
  idleFault('damageFound', {
    id: 'bit-flip',
    breaks: 'nothing stored is damaged',
    file: DISK,
    text: 'value.put(flipped);',
    replacement: '',
    also: [
      {
        file: DISK,
        text: 'if (!this.misdirectNext || others.length === 0)',
        replacement: 'if (others.length >= 0)',
      },
    ],
  }),
  idleFault('crashedWhilePending', {
    id: 'crash',
    breaks: 'no process dies',
    file: INJECTOR,
    text: 'this.#operator.end(id, power);',
    replacement: '',
  }),
  idleFault('processPaused', {
    id: 'pause',
    breaks: 'no process stands still',
    file: INJECTOR,
    text: 'node.life.stalledUntil = Math.max(node.life.stalledUntil, untilMs);',
    replacement: '',
  }),
  idleFault('clientCut', {
    id: 'client-cut',
    breaks: 'no connection of a client breaks',
    file: 'jepsen-lite/simulation/client-network.js',
    text: 'for (const connection of target.connections) {',
    replacement: 'for (const connection of []) {',
    also: [
      {
        file: 'jepsen-lite/simulation/client-network.js',
        text: 'for (const connection of connections) {',
        replacement: 'for (const connection of []) {',
      },
    ],
  }),
  idleFault('membershipChanged', {
    id: 'membership',
    breaks: 'no membership changes',
    file: INJECTOR,
    text:
      "            case 'membership':\n" +
      '                return this.#operator.changeMembership(fault);\n' +
      "            case 'crash':",
    replacement:
      "            case 'membership':\n" +
      '                return { targets: [] };\n' +
      "            case 'crash':",
  }),
  idleFault('leadershipTransferred', {
    id: 'transfer',
    breaks: 'leadership is never handed over',
    file: INJECTOR,
    text: 'return this.#operator.transfer(fault.to);',
    replacement: 'return { targets: [] };',
  }),
];
