/** Node to node: the contract, the message codec, TCP, and a network in memory. */
export * from './contract.ts';
export { decodePeerMessage, encodePeerMessage, type FrameTarget } from './message-codec.ts';
export type { TransportEnvironment } from './environment.ts';
export { MemoryNetwork, MemoryTransport } from './memory.ts';
export type { MemoryNetworkOptions, MemoryTransportOptions } from './memory.ts';
