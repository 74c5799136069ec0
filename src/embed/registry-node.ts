import type { HoldfastError } from '../base/index.ts';
import {
  systemClientEnvironment,
  type BackupOptions,
  type CallOptions,
  type Registry,
  type RegistryOptions,
  type ReplicaCare,
  type Verification,
  type VerifyOptions,
} from '../client/index.ts';
import { embeddedRegistry, type EmbeddedParts } from '../client/embedded.ts';
import { registrySettings } from '../client/options.ts';
import { NodeControls, type EmbeddedNode } from './embedded-node.ts';
import { startServer, type RunningServer, type ServerOptions } from '../server/index.ts';

/** A node of the locking registry in this process. */
export interface HoldfastNode extends EmbeddedNode, ReplicaCare {
  /** The registry through this node. What only the leader can do is forwarded to it. */
  readonly registry: Registry;
  /**
   * A backup of the whole registry, taken from this node: the bytes that `saveBackup` writes into a
   * file and `restoreBackup` reads. Rejects as `HoldfastClient.backup` does when it breaks off.
   */
  backup(options?: BackupOptions): AsyncIterable<Uint8Array>;
}

export async function startRegistryNode(
  options: ServerOptions & { readonly registry?: RegistryOptions },
): Promise<HoldfastNode> {
  const settings = registrySettings(options.registry ?? {});
  const server = await startServer(options);
  const environment = options.environment ?? systemClientEnvironment;
  const parts = embeddedRegistry({
    // Of the present life: the registry outlives a re-installation.
    openChannel: (events) => server.service.openChannel(events),
    nodeId: server.node.id,
    clusterName: options.clusterName ?? '',
    environment,
    settings,
    tls: options.tls,
  });
  return new RegistryNode(server, parts);
}

class RegistryNode extends NodeControls implements HoldfastNode {
  readonly registry: Registry;
  readonly address: string;
  readonly stopped: Promise<HoldfastError | undefined>;
  readonly #server: RunningServer;
  readonly #parts: EmbeddedParts;

  constructor(server: RunningServer, parts: EmbeddedParts) {
    super(() => server.node);
    this.registry = parts.registry;
    this.address = server.address;
    this.#server = server;
    this.#parts = parts;
    this.stopped = this.#closeRegistryWhenOver();
  }

  backup(options?: BackupOptions): AsyncIterable<Uint8Array> {
    return this.#parts.backup(options);
  }

  verify(options?: VerifyOptions): Promise<Verification> {
    return this.#parts.replicas.verify(options);
  }

  quarantine(id: string, options?: CallOptions): Promise<void> {
    return this.#parts.replicas.quarantine(id, options);
  }

  endQuarantine(id: string, options?: CallOptions): Promise<void> {
    return this.#parts.replicas.endQuarantine(id, options);
  }

  reinstall(id: string, options?: CallOptions): Promise<void> {
    return this.#parts.replicas.reinstall(id, options);
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
