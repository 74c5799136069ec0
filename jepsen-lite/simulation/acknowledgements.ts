/**
 * That what was acknowledged stands in the log, and no command stands there more often than it was
 * handed to a node. (A client that sends one again is recognised by the registry: see the
 * workloads.)
 */
import type { Answer, RaftNode } from '../../src/node/index.ts';
import type { Sometimes } from './sometimes.ts';
import type { Violations } from './violations.ts';

interface Proposal {
  /** How often it was handed to a node, and how often such a call is known to have done nothing. */
  calls: number;
  refused: number;
  inLog: number;
}

/** The bytes as a key. */
function keyOf(command: Uint8Array): string {
  return Buffer.from(command.buffer, command.byteOffset, command.length).toString('latin1');
}

export class Acknowledgements {
  readonly #violations: Violations;
  readonly #sometimes: Sometimes;
  readonly #proposals = new Map<string, Proposal>();
  /** Reads of these kinds have to be fresh. Leases are worth nothing where clocks part. */
  readonly freshReads: Set<string> = new Set(['linearizable']);
  /** The last log index known to be committed. */
  lastCommitted: () => number = () => 0;

  constructor(violations: Violations, sometimes: Sometimes) {
    this.#violations = violations;
    this.#sometimes = sometimes;
  }

  /** The same node, whose proposals are seen from now on. */
  watching(node: RaftNode): RaftNode {
    const propose: RaftNode['propose'] = (command, done, options) => {
      const key = keyOf(command);
      const proposal = this.#proposals.get(key) ?? { calls: 0, refused: 0, inLog: 0 };
      this.#proposals.set(key, proposal);
      proposal.calls += 1;
      if (proposal.calls > 1) this.#sometimes.met('writeRepeated');
      const answered = (answer: Answer): void => {
        this.#answered(node.id, proposal, answer);
        done(answer);
      };
      node.propose(command, answered, options);
    };
    return {
      id: node.id,
      propose,
      get appliedIndex() {
        return node.appliedIndex;
      },
      start: () => node.start(),
      readBarrier: (consistency, done, options) => {
        const committed = this.lastCommitted();
        const checked: typeof done = (error) => {
          if (error === undefined && this.freshReads.has(consistency)) {
            this.#checkFresh(node, consistency, committed);
          }
          done(error);
        };
        node.readBarrier(consistency, checked, options);
      },
      leaderQuery: (request, done, options) => node.leaderQuery(request, done, options),
      changeMembership: (change, options) => node.changeMembership(change, options),
      transfer: (to, options) => node.transfer(to, options),
      sitOut: (reason) => node.sitOut(reason),
      status: () => node.status(),
      waitForLeader: (options) => node.waitForLeader(options),
      stop: () => node.stop(),
    };
  }

  #answered(node: string, proposal: Proposal, answer: Answer): void {
    if (answer.type === 'ok') {
      if (proposal.inLog > 0) return;
      const text = `${node} acknowledged a command that was applied nowhere`;
      this.#violations.report('acknowledged-in-log', text, [node]);
    } else if (answer.error.outcome === 'not-applied') {
      proposal.refused += 1;
      this.#checkCount(node, proposal);
    }
  }

  /** A read sees whatever was committed anywhere when it was asked for. */
  #checkFresh({ id, appliedIndex }: RaftNode, consistency: string, committed: number): void {
    if (appliedIndex >= committed) return;
    const text = `${id} let a ${consistency} read through when it had applied ${appliedIndex}`;
    const why = `entry ${committed} was committed before the read`;
    this.#violations.report('read-fresh', `${text}, though ${why}`, [id]);
  }

  /** A command stands in the committed log; once for each index. */
  committed(node: string, command: Uint8Array): void {
    const proposal = this.#proposals.get(keyOf(command));
    if (proposal === undefined) return;
    proposal.inLog += 1;
    this.#checkCount(node, proposal);
  }

  #checkCount(node: string, { inLog, calls, refused }: Proposal): void {
    if (inLog <= calls - refused) return;
    const asked = `it was proposed ${calls} times, ${refused} of them refused`;
    const text = `a command stands ${inLog} times in the log, but ${asked}`;
    this.#violations.report('exactly-once', text, [node]);
  }
}
