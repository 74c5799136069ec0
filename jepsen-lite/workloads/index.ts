/** Every workload, by the name that `--workload` takes. */
import { registerWorkload } from './register.ts';
import type { CreateWorkload } from './workload.ts';

export const workloads: Readonly<Record<string, CreateWorkload>> = {
  register: registerWorkload,
};
