/** What a fault might be replaced by to make a run easier to understand. */
import type { Fault } from '../faults/fault.ts';

/** Shorter than this is not worth another run. */
const SHORTEST_MS = 2;

/** The same fault in calmer forms, the calmest first. */
export function calmerFaults(fault: Fault): readonly Fault[] {
  return [...plainer(fault), ...shorter(fault)];
}

function shorter(fault: Fault): readonly Fault[] {
  if (fault.forMs < SHORTEST_MS) return [];
  return [8, 2].map((by) => ({ ...fault, forMs: Math.ceil(fault.forMs / by) }));
}

/** With one of its aspects gone. */
function plainer(fault: Fault): readonly Fault[] {
  const { type } = fault;
  if (type === 'crash') {
    return [
      ...(fault.power ? [{ ...fault, power: false }] : []),
      ...(fault.whilePending ? [{ ...fault, whilePending: false }] : []),
    ];
  }
  if (type === 'weather') {
    return (['corrupt', 'duplicate', 'loss', 'delayMs'] as const)
      .filter((aspect) => fault[aspect] > 0)
      .map((aspect) => ({ ...fault, [aspect]: 0 }));
  }
  if (type === 'partition' && fault.flapMs > 0) return [{ ...fault, flapMs: 0 }];
  if (type === 'clientCut' && fault.how !== 'reset') return [{ ...fault, how: 'reset' }];
  return [];
}
