import type { StatusReport } from '../protocol/index.ts';
import { Connection } from './connection.ts';
import type { ClientEnvironment } from './environment.ts';
import type { OpenEndpoint } from './link.ts';

/** What one endpoint says of itself, or why it says nothing. */
export interface EndpointStatus {
  readonly endpoint: string;
  /** Undefined when it cannot be reached; then `error` says why. */
  readonly status: StatusReport | undefined;
  readonly error: string | undefined;
}

/** Asks one node for its status over a connection of its own, once, without retries. */
export function probe(
  endpoint: string,
  open: OpenEndpoint,
  environment: ClientEnvironment,
  timeoutMs: number,
): Promise<EndpointStatus> {
  return new Promise((resolve) => {
    const finish = (status: StatusReport | undefined, error: string | undefined): void => {
      cancel();
      resolve({ endpoint, status, error });
      connection.close('probed');
    };
    const cancel = environment.setTimer(timeoutMs, () => {
      finish(undefined, `no answer within ${timeoutMs} ms`);
    });
    const connection = new Connection({
      address: endpoint,
      open,
      environment,
      connectTimeoutMs: timeoutMs,
      silenceMs: 0,
      events: {
        opened: () => {
          connection.send({
            request: (_connection, id) => ({ type: 'status', id }),
            response: (response) => {
              if (response.type === 'status') finish(response.status, undefined);
              else finish(undefined, response.type === 'error' ? response.message : response.type);
            },
            lost: (reason) => finish(undefined, reason),
          });
        },
        closed: (_connection, reason) => finish(undefined, reason),
        leader: () => undefined,
        arrival: () => undefined,
      },
    });
    connection.connect();
  });
}
