/** Faults in words, and the families that reports colour them by. */
import { unreachable } from '../../src/base/unreachable.ts';
import type { DirectedLink, DiskFault, Fault, PartitionShape } from '../faults/fault.ts';
import type { InjectedFault } from '../simulation/run-record.ts';

export type FaultFamily = 'network' | 'process' | 'clock' | 'disk' | 'membership' | 'client';

/** Every kind of fault there is: what a run left out is said too. */
export const FAULT_FAMILIES: Readonly<Record<Fault['type'], FaultFamily>> = {
  partition: 'network',
  weather: 'network',
  slowLink: 'network',
  crash: 'process',
  powerLoss: 'process',
  pause: 'process',
  clientPause: 'client',
  clientCut: 'client',
  clockRate: 'clock',
  clockJump: 'clock',
  disk: 'disk',
  damage: 'disk',
  wipe: 'disk',
  oldDisk: 'disk',
  membership: 'membership',
  transfer: 'membership',
};

/** A partition's links are told up to so many. */
const MOST_LINKS = 6;
const SHAPES: Readonly<Record<PartitionShape, string>> = {
  one: 'one node alone',
  halves: 'two parts',
  majorityRing: 'majority ring',
  bridge: 'bridge',
  oneWay: 'one way',
  leader: 'leader alone',
};

/** Not every fault finds what it is meant for: a leader, a disk that is still whole. */
export function wasCarriedOut({ targets }: InjectedFault): boolean {
  return targets.length > 0;
}

/** A few words, such as `pause` or `disk full`: enough for a label. */
export function faultName(fault: Fault): string {
  switch (fault.type) {
    case 'partition':
      return `partition, ${SHAPES[fault.shape]}${fault.flapMs > 0 ? ', flapping' : ''}`;
    case 'weather':
      return 'bad network';
    case 'slowLink':
      return `slow link ${fault.from} → ${fault.to}`;
    case 'crash':
      return fault.power ? 'power lost' : 'crash';
    case 'powerLoss':
      return 'all lose power';
    case 'clientPause':
      return 'client pauses';
    case 'clientCut':
      return fault.how === 'silence' ? 'client hears nothing' : `client cut (${fault.how})`;
    case 'clockRate':
      return `clock at ${fault.rate}×`;
    case 'clockJump':
      return `clock jumps ${fault.byMs} ms`;
    case 'disk':
      return `disk ${diskName(fault)}`;
    case 'damage':
      return fault.how === 'bitFlip' ? 'bit flipped' : 'write misdirected';
    case 'wipe':
      return 'disk wiped';
    case 'oldDisk':
      return 'old disk back';
    case 'membership':
      return `member: ${fault.how}`;
    case 'transfer':
      return 'leadership handed over';
    case 'pause':
      return 'pause';
    default:
      return unreachable(fault);
  }
}

/** What else it was told, such as `5 % lost, 2 % twice`; '' for nothing. */
export function faultDetail(fault: Fault): string {
  switch (fault.type) {
    case 'partition':
      return linksText(fault.links);
    case 'weather':
      return [
        percent(fault.loss, 'lost'),
        percent(fault.duplicate, 'twice'),
        percent(fault.corrupt, 'corrupt'),
        fault.delayMs > 0 ? `up to ${fault.delayMs} ms late` : '',
      ]
        .filter((part) => part !== '')
        .join(', ');
    case 'slowLink':
      return `${fault.delayMs} ms late`;
    case 'crash':
      return fault.whilePending ? 'while a write is under way' : '';
    case 'disk':
      return fault.how.type === 'slow' ? `${fault.how.latencyMs} ms a write` : '';
    case 'powerLoss':
    case 'pause':
    case 'clientPause':
    case 'clientCut':
    case 'clockRate':
    case 'clockJump':
    case 'damage':
    case 'wipe':
    case 'oldDisk':
    case 'membership':
    case 'transfer':
      return '';
    default:
      return unreachable(fault);
  }
}

function linksText(links: readonly DirectedLink[]): string {
  const texts = links.slice(0, MOST_LINKS).map(([from, to]) => `${from} → ${to}`);
  const rest = links.length - texts.length;
  return texts.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function diskName({ how }: DiskFault): string {
  if (how.type !== 'error') return how.type;
  return how.written ? 'fails after writing' : 'fails';
}

function percent(share: number, what: string): string {
  return share > 0 ? `${Number((share * 100).toFixed(2))} % ${what}` : '';
}
