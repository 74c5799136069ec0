/** Node to node: the contract, the message codec, TCP, and a network in memory. */
export * from './contract.ts';
export { decodePeerMessage, encodePeerMessage, type FrameTarget } from './message-codec.ts';
export type { TransportEnvironment } from './environment.ts';
export { MemoryNetwork, MemoryTransport } from './memory.ts';
export type { MemoryNetworkOptions, MemoryTransportOptions } from './memory.ts';
export { DEFAULT_TCP_LIMITS } from './tcp/options.ts';
export type {
  ClientConnection,
  TcpLimits,
  TcpTransportOptions,
  TlsOptions,
} from './tcp/options.ts';
export { TcpTransport } from './tcp/tcp-transport.ts';
