/** Whom a run in a file speaks of: only nodes and clients that it has. */
import { LEADER, type Fault } from '../faults/fault.ts';
import { nodeName } from './cluster.ts';
import { lastClient, type Configuration } from './configuration.ts';
import type { WholeSchedule } from './shrink.ts';

/** Where in the file something is wrong, and the rule. */
export interface AbsentName {
  readonly path: readonly (string | number)[];
  readonly rule: string;
}

/** The first node or client that is named and is not there. */
export function absentName(schedule: WholeSchedule): AbsentName | undefined {
  const { configuration, faults, operations } = schedule;
  const nodes = nodesOf(schedule);
  for (const [i, fault] of faults.entries()) {
    const found = absentNode(fault, nodes) ?? absentClient(fault, configuration);
    if (found !== undefined) return { ...found, path: ['faults', i, ...found.path] };
  }
  const { clients } = configuration;
  const last = lastClient(configuration);
  const i = operations.findIndex(({ client }) => client >= clients && client !== last);
  if (i < 0) return undefined;
  const text = `${noClient(operations[i]!.client, clients)}, and ${last} for the last calls`;
  return { path: ['operations', i, 'client'], rule: text };
}

/** One may join, as the next of them. */
function nodesOf({ configuration, faults }: WholeSchedule): readonly string[] {
  const joins = faults.some((fault) => fault.type === 'membership' && fault.how === 'join');
  const count = configuration.nodes + (joins ? 1 : 0);
  return Array.from({ length: count }, (_, i) => nodeName(i));
}

function absentNode(fault: Fault, nodes: readonly string[]): AbsentName | undefined {
  for (const { path, name, known } of namesOf(fault, nodes)) {
    if (known.includes(name)) continue;
    return { path, rule: `there is no node '${name}'; it can be ${known.join(', ')}` };
  }
  return undefined;
}

interface NamedNode {
  readonly path: readonly (string | number)[];
  readonly name: string;
  readonly known: readonly string[];
}

function namesOf(fault: Fault, known: readonly string[]): NamedNode[] {
  if ('links' in fault) {
    return fault.links.flatMap((link, i) =>
      link.map((name, side) => ({ path: ['links', i, side], name, known })),
    );
  }
  const named: NamedNode[] = [];
  if ('node' in fault) named.push({ path: ['node'], name: fault.node, known: [LEADER, ...known] });
  if ('from' in fault) named.push({ path: ['from'], name: fault.from, known });
  if ('to' in fault) named.push({ path: ['to'], name: fault.to, known });
  return named;
}

function absentClient(fault: Fault, { clients }: Configuration): AbsentName | undefined {
  if (!('client' in fault) || fault.client < clients) return undefined;
  return { path: ['client'], rule: noClient(fault.client, clients) };
}

function noClient(client: number, clients: number): string {
  const there = clients === 0 ? 'there are none' : `it can be 0 to ${clients - 1}`;
  return `there is no client ${client}; ${there}`;
}
