/** Bugs of what the registry promises beyond a log, and further ones that others have had. */
import type { Mutant } from './mutant.ts';

export const registryMutants: readonly Mutant[] = [
  {
    id: '42',
    breaks: 'the vote of a term is forgotten when its holder steps down in that term',
    file: 'src/raft/transitions.js',
    text: 'if (!sameTerm)\n        core.adoptTerm(term);',
    replacement:
      'if (!sameTerm)\n        core.adoptTerm(term);\n    else core.votedFor = undefined;',
  },
  {
    id: '43',
    breaks: 'leases hold on while leadership is handed over, and afterwards',
    file: 'src/raft/reads.js',
    text: 'role.transfer !== undefined || role.leaseVoid)',
    replacement: 'false)',
    workload: 'lease',
  },
  {
    id: '44',
    breaks: 'a command that comes again is carried out again',
    file: 'src/registry/apply.js',
    text: "if (verdict.type === 'answered')\n        return verdict.result;",
    replacement: '',
  },
  {
    id: '45',
    breaks: 'a new leader gives sessions half of their time',
    file: 'src/registry/leases.js',
    text: 'this.opened(session.id, session.ttlMs, time);',
    replacement: 'this.opened(session.id, session.ttlMs / 2, time);',
  },
  {
    id: '46',
    breaks: 'readers overtake a writer that waits',
    file: 'src/registry/lock-queue.js',
    text: 'return this.waiting.size === 0 && this.#goesWithHolders(terms);',
    replacement: 'return this.#goesWithHolders(terms);',
  },
  {
    id: '47',
    breaks: 'a semaphore gives one permit too many',
    file: 'src/registry/lock-queue.js',
    text: 'this.permits + terms.permits <= terms.limit',
    replacement: 'this.permits + terms.permits <= terms.limit + 1',
  },
  {
    id: '48',
    breaks: 'of what a session owns only the first key goes with it',
    file: 'src/registry/session-ends.js',
    text: 'if (entry.live?.session === session.id)',
    replacement: 'if (entry === owned[0])',
  },
  {
    id: '49',
    breaks: 'a monitor is not told of an end',
    file: 'src/registry/table-ends.js',
    text: "const type = edge.edge === 'monitor' ? 'down' : 'exit';",
    replacement: "if (edge.edge === 'monitor') return;\n    const type = 'exit';",
  },
  {
    id: '50',
    breaks: 'of what a transaction compares only the first counts',
    file: 'src/registry/txn-plan.js',
    text: 'txn.compares.every(',
    replacement: 'txn.compares.slice(0, 1).every(',
  },
  {
    id: '51',
    breaks: 'a live watch is told of the first change of a revision only',
    file: 'src/server/live-watches.js',
    text: 'if (newest?.revision === revision)\n                newest.events.push(event);',
    replacement: 'if (newest?.revision === revision) void event;',
  },
];
