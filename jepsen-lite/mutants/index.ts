/** Every planted bug, by number. */
import { boundsMutants } from './bounds-mutants.ts';
import { checkerMutants } from './checker-mutants.ts';
import { electionMutants } from './election-mutants.ts';
import { faultMutants } from './fault-mutants.ts';
import { judgingMutants } from './judging-mutants.ts';
import type { Mutant } from './mutant.ts';
import { registryMutants } from './registry-mutants.ts';
import { replicationMutants } from './replication-mutants.ts';
import { serviceMutants } from './service-mutants.ts';

const numbered = [
  ...electionMutants,
  ...replicationMutants,
  ...serviceMutants,
  ...registryMutants,
].toSorted((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));

/** Those of what is tested first, then those of the harness. */
export const mutants: readonly Mutant[] = [
  ...numbered,
  ...faultMutants,
  ...boundsMutants,
  ...checkerMutants,
  ...judgingMutants,
];
