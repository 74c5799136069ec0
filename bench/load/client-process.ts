/** A client process: does what `ClientProcess` of `client-handle.ts` asks for, until let go. */
import { op } from '../../src/client/index.ts';
import { closedLoop } from './closed-loop.ts';
import { Clients } from './clients.ts';
import { keyAt, type LoadReply, type LoadRequest, type LoadSpec } from './load-spec.ts';
import { loadOf } from './operations.ts';

const FILL_BATCH = 100;
const FILL_IN_FLIGHT = 32;
const FILL_VALUE = new Uint8Array(256).fill(97);
const clients = new Clients();

function reply(message: LoadReply): void {
  process.send?.(message);
}

async function load(spec: LoadSpec): Promise<void> {
  const registries = await clients.of(spec);
  const { call, figures, close } = await loadOf(spec, registries);
  const result = await closedLoop({ ...spec, onBegun: () => reply({ type: 'begun' }) }, call);
  reply({ type: 'over' });
  await close?.();
  reply({ type: 'result', result, figures: figures?.() ?? {} });
}

/** In batches of one transaction each; a key that is there already is put anew. */
async function fill(endpoints: readonly string[], keys: number): Promise<void> {
  const [registry] = await clients.of({ endpoints, route: 'leader', connections: 1 });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < keys) {
      const from = next;
      next += FILL_BATCH;
      const count = Math.min(FILL_BATCH, keys - from);
      const puts = Array.from({ length: count }, (_, i) => op.put(keyAt(from + i), FILL_VALUE));
      await registry!
        .txn()
        .then(...puts)
        .commit();
    }
  };
  await Promise.all(Array.from({ length: FILL_IN_FLIGHT }, worker));
}

async function obey(request: LoadRequest): Promise<void> {
  try {
    if (request.type === 'load') {
      await load(request.spec);
      return;
    }
    await fill(request.endpoints, request.keys);
    reply({ type: 'filled' });
  } catch (error) {
    reply({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

process.on('message', (request: LoadRequest) => void obey(request));
process.on('disconnect', () => process.exit());
