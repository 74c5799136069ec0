/** Whether the ports of the development cluster are free, looked at before anything is started. */
import { createServer } from 'node:net';
import { refused } from '../exit.ts';

/**
 * A node that could not listen would end at once, but by then whoever has its port may have
 * answered in its place. The most likely one is another development cluster.
 */
export async function refuseTakenPorts(endpoints: readonly string[]): Promise<void> {
  for (const endpoint of endpoints) {
    const reason = await whyNot(endpoint);
    if (reason === undefined) continue;
    const text = `cannot listen on ${endpoint} (${reason}): is another 'holdfast dev' running?`;
    throw refused('address-in-use', `${text} Stop it, or choose other ports with --port`);
  }
}

/** Undefined when one can listen there. */
function whyNot(endpoint: string): Promise<string | undefined> {
  const at = endpoint.lastIndexOf(':');
  const place = { host: endpoint.slice(0, at), port: Number(endpoint.slice(at + 1)) };
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(error.message));
    server.listen({ ...place, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
