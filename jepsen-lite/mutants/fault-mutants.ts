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

/** A fault that does nothing and brings about no situation of its own: histories do not change. */
function unseenFault(
  id: string,
  breaks: string,
  [file, text, replacement]: readonly [string, string, string],
): Mutant {
  const noticedBy = { type: 'tests', files: ['test/jepsen-lite/injector.test.js'] } as const;
  return { id, breaks, file, text, replacement, noticedBy };
}

const unseenFaults: readonly Mutant[] = [
  unseenFault('crash', 'no process dies', [INJECTOR, 'this.#operator.end(id, power);', '']),
  unseenFault('delay', 'messages do not overtake each other', [
    NETWORK,
    'if (delayMs > 0)\n            return at',
    'if (delayMs > 1e9)\n            return at',
  ]),
  unseenFault('slow-link', 'no link is slow', [
    INJECTOR,
    'network.slow(from, to, delayMs);',
    'void network;',
  ]),
  unseenFault('power-loss', 'not all machines lose power', [
    INJECTOR,
    'for (const id of names)',
    'for (const id of [])',
  ]),
  unseenFault('client-pause', 'no client stands still', [
    INJECTOR,
    'this.#clients.pause(fault.client, this.#cluster.world.now + fault.forMs);',
    '',
  ]),
  unseenFault('clock-rate', 'clocks run at one pace', [INJECTOR, 'clock.rate = fault.rate;', '']),
  unseenFault('clock-jump', 'no clock jumps', [INJECTOR, 'clock.jump(fault.byMs);', '']),
  unseenFault('disk-slow', 'no disk is slow', [
    DISK,
    "if (this.trouble?.type === 'slow')",
    "if (this.trouble?.type === 'none')",
  ]),
  unseenFault('disk-stuck', 'no disk is stuck', [
    INJECTOR,
    'disk.set(how);',
    "disk.set(how.type === 'stuck' ? undefined : how);",
  ]),
  unseenFault('disk-full', 'no disk is full', [
    INJECTOR,
    'disk.set(how);',
    "disk.set(how.type === 'full' ? undefined : how);",
  ]),
  unseenFault('misdirected', 'no write lands in another place', [
    'jepsen-lite/simulation/operator.js',
    'place.disk.misdirectNext = true;',
    '',
  ]),
  unseenFault('wipe', 'no node loses its disk', [
    INJECTOR,
    'return this.#operator.wipe(place);',
    'return { targets: [] };',
  ]),
  unseenFault('old-disk', 'no disk is put back as it was', [
    INJECTOR,
    'return this.#operator.useOldDisk(place);',
    'return { targets: [] };',
  ]),
];

const idleFaults: readonly Mutant[] = [
  {
    id: 'power',
    breaks: 'a disk without power keeps what was never synced',
    file: DISK,
    text: 'for (const lose of undo)',
    replacement: 'for (const lose of [])',
    noticedBy: { type: 'tests', files: ['test/jepsen-lite/simulation-parts.test.js'] },
  },
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
      '                return this.#operator.members.change(fault);\n' +
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
    text: 'return this.#operator.members.transfer(fault.to);',
    replacement: 'return { targets: [] };',
  }),
];

export const faultMutants: readonly Mutant[] = [...idleFaults, ...unseenFaults];
