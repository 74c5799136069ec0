import type { HoldfastError } from '../base/index.ts';
import { systemClientEnvironment, type Registry, type RegistryOptions } from '../client/index.ts';
import { embeddedRegistry } from '../client/embedded.ts';
import { registrySettings } from '../client/options.ts';
import type { OpenChannel } from '../protocol/index.ts';
import { NodeControls, type EmbeddedNode } from './embedded-node.ts';
import { startServer, type RunningServer, type ServerOptions } from '../server/index.ts';

/** A node of the locking registry in this process. */
export interface HoldfastNode extends EmbeddedNode {
  /** The registry through this node. What only the leader can do is forwarded to it. */
  readonly registry: Registry;
}

export async function startRegistryNode(
  options: ServerOptions & { readonly registry?: RegistryOptions },
): Promise<HoldfastNode> {
  const settings = registrySettings(options.registry ?? {});
  const server = await startServer(options);
  const environment = options.environment ?? systemClientEnvironment;
  const open: OpenChannel = (events) => server.service.openChannel(events);
  const registry = embeddedRegistry(open, server.node.id, environment, settings);
  return new RegistryNode(server, registry);
}

class RegistryNode extends NodeControls implements HoldfastNode {
  readonly registry: Registry;
  readonly address: string;
  readonly stopped: Promise<HoldfastError | undefined>;
  readonly #server: RunningServer;

  constructor(server: RunningServer, registry: Registry) {
    super(() => server.node);
    this.registry = registry;
    this.address = server.address;
    this.#server = server;
    this.stopped = this.#closeRegistryWhenOver();
  }

  /** The registry's session is ended while the cluster can still be told. */
  protected async shutDown(): Promise<void> {
    await this.registry.close();
    await this.#server.stop();
  }

  async #closeRegistryWhenOver(): Promise<HoldfastError | undefined> {
    const why = await this.#server.stopped;
    await this.registry.close();
    return why;
  }
}
