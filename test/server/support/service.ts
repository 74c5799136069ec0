import type { HoldfastError } from '../../../src/base/index.ts';
import type { LogLevel } from '../../../src/node/index.ts';
import type { Channel, ChannelEvents, Request, Response } from '../../../src/protocol/index.ts';
import type { RegistryLimits } from '../../../src/registry/index.ts';
import { RegistryService, type ServiceLimits } from '../../../src/server/index.ts';
import { FakeNode } from './fake-node.ts';
import { ManualSchedule } from './schedule.ts';

export interface ServiceSetup {
  readonly service?: Partial<ServiceLimits>;
  readonly registry?: Partial<RegistryLimits>;
}

/** A service over a fake node, whose turns and deferred work the test runs. */
export class TestService {
  readonly node: FakeNode;
  readonly schedule: ManualSchedule = new ManualSchedule();
  readonly log: string[] = [];
  readonly timers: (() => void)[] = [];
  readonly maintained: string[] = [];
  readonly service: RegistryService;

  constructor(setup: ServiceSetup = {}) {
    this.node = new FakeNode(setup.registry);
    this.service = new RegistryService({
      node: this.node,
      registry: this.node.registry,
      clusterName: 'test-cluster',
      environment: {
        defer: this.schedule.defer,
        setTimer: (_delayMs, callback) => {
          this.timers.push(callback);
          return () => undefined;
        },
        log: (level: LogLevel, line: string) => this.log.push(`${level}: ${line}`),
      },
      limits: setup.service ?? {},
      maintain: (action) => {
        this.maintained.push(action);
        return Promise.resolve();
      },
    });
    this.node.onApplied = () => this.service.applied();
    this.node.onLeaderChanged = () => this.service.leaderChanged();
  }

  readonly open = (): TestChannel => new TestChannel(this.service);

  /** Barriers fail from now on. */
  readonly fail = (error: HoldfastError): void => {
    this.node.barrierError = error;
  };
}

/** One client in process, which notes everything it is told. */
export class TestChannel implements ChannelEvents {
  readonly channel: Channel;
  readonly responses: Response[] = [];
  closedFor: string | undefined = undefined;

  constructor(service: RegistryService) {
    this.channel = service.openChannel(this);
  }

  response(response: Response): void {
    if (this.closedFor !== undefined) throw new Error('a response after the end');
    this.responses.push(response);
  }

  closed(reason: string): void {
    this.closedFor = reason;
  }

  send(...requests: readonly Request[]): void {
    for (const request of requests) this.channel.send(request);
  }

  /** Responses of one request, in order. */
  of(id: number): Response[] {
    return this.responses.filter((response) => response.id === id);
  }

  /** The only response of a request. */
  single(id: number): Response | undefined {
    const [response, ...more] = this.of(id);
    if (more.length > 0) throw new Error(`request ${id} was answered ${more.length + 1} times`);
    return response;
  }
}

/** Lets microtasks run, in which channels in process deliver. */
export async function delivered(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

export function isFinal(response: Response): boolean {
  return ['ok', 'error', 'status', 'watchEnded'].includes(response.type);
}
