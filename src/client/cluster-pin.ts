import type { ClientWelcome } from '../wire/index.ts';
import type { RefusalCode } from './link.ts';

/** Why a node that welcomes us is not talked to. */
export interface PinRefusal {
  readonly reason: string;
  /** Undefined when another attempt may find it otherwise. */
  readonly code: RefusalCode | undefined;
}

/**
 * The one cluster a client talks to: the one it was told, or else the first it meets. A port may
 * pass to another cluster, of the same name even, while the client is away; there its sessions,
 * tokens and revisions mean something else, or nothing.
 */
export class ClusterPin {
  #clusterId: string;

  /** `clusterId`: '' for the first that is met. */
  constructor(clusterId: string) {
    this.#clusterId = clusterId;
  }

  /** Undefined for a node of this cluster. */
  refusal({ clusterName, clusterId }: ClientWelcome): PinRefusal | undefined {
    if (this.#clusterId === '') this.#clusterId = clusterId;
    if (clusterId === this.#clusterId) return undefined;
    // It could found or join any cluster, and what it was asked before would reach that one.
    if (clusterId === '') return { reason: 'it is in no cluster yet', code: undefined };
    const found = `this is cluster '${clusterName}' with id ${clusterId}`;
    const reason = `${found}, not ${this.#clusterId}; connect anew to talk to it`;
    return { reason, code: 'wrong-cluster' };
  }
}
