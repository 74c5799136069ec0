/** What a client and a node tell each other when a connection opens. */
import { ByteReader, ByteWriter } from '../base/index.ts';
import type { Refusal } from './hello.ts';

/** Version of requests and responses, answers of the registry that they carry included. */
export const CLIENT_PROTOCOL_VERSION = 4;

export interface ClientHello {
  readonly clientProtocolVersion: number;
  /** The cluster the client means to talk to; '' for any. */
  readonly clusterName: string;
}

/** What a node says of itself to a client it accepts. */
export interface ClientWelcome {
  readonly nodeId: string;
  readonly clusterName: string;
  /** '' while the node does not know its cluster yet. */
  readonly clusterId: string;
  /** Where the leader is; '' when nobody is known to lead. */
  readonly leaderAddress: string;
}

export function encodeClientHello(hello: ClientHello): Uint8Array {
  return new ByteWriter().varint(hello.clientProtocolVersion).text(hello.clusterName).finish();
}

/** Throws `MalformedBytesError`. */
export function decodeClientHello(bytes: Uint8Array): ClientHello {
  const reader = new ByteReader(bytes);
  const hello = { clientProtocolVersion: reader.varint(), clusterName: reader.text() };
  reader.end();
  return hello;
}

export function encodeClientWelcome(welcome: ClientWelcome): Uint8Array {
  const writer = new ByteWriter().text(welcome.nodeId).text(welcome.clusterName);
  return writer.text(welcome.clusterId).text(welcome.leaderAddress).finish();
}

/** Throws `MalformedBytesError`. */
export function decodeClientWelcome(bytes: Uint8Array): ClientWelcome {
  const reader = new ByteReader(bytes);
  const welcome = {
    nodeId: reader.text(),
    clusterName: reader.text(),
    clusterId: reader.text(),
    leaderAddress: reader.text(),
  };
  reader.end();
  return welcome;
}

/** Why a client may not talk to a node of this cluster, or undefined when it may. */
export function refuseClient(hello: ClientHello, clusterName: string): Refusal | undefined {
  if (hello.clientProtocolVersion !== CLIENT_PROTOCOL_VERSION) {
    const found = `client protocol version ${hello.clientProtocolVersion}`;
    const reason = `${found}, this node speaks ${CLIENT_PROTOCOL_VERSION}`;
    return { code: 'wrong-version', reason };
  }
  if (hello.clusterName !== '' && hello.clusterName !== clusterName) {
    const reason = `this is cluster '${clusterName}', not '${hello.clusterName}'`;
    return { code: 'wrong-cluster', reason };
  }
  return undefined;
}
