/** Serves a node's registry to clients, in process and over the network. */
export { DEFAULT_SERVICE_LIMITS, type ServiceLimits } from './limits.ts';
export {
  RegistryService,
  type RegistryServiceOptions,
  type ServedRegistry,
} from './registry-service.ts';
export type { ServerOptions, ServerTls } from './server-options.ts';
export { startServer, type RunningServer } from './start-server.ts';
