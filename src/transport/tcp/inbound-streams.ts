import type { Socket } from 'node:net';
import { MalformedBytesError } from '../../base/index.ts';
import {
  acceptHello,
  encodeFrame,
  FrameKind,
  receiveFrames,
  refuseHello,
  type Frame,
  type Refusal,
} from '../../wire/index.ts';
import { refusePeer } from '../admission.ts';
import type { PeerIdentity, TransportHandlers } from '../contract.ts';
import type { TransportEnvironment } from '../environment.ts';
import { decodeIdentity, encodeIdentity } from '../identity-codec.ts';
import { decodePeerMessage } from '../message-codec.ts';
import type { Introduction } from './listener.ts';
import type { TcpLimits } from './options.ts';
import type { StrangerNotices } from './stranger-notices.ts';

const PONG = encodeFrame(FrameKind.pong, new Uint8Array(0));

export interface InboundOptions {
  readonly limits: TcpLimits;
  readonly environment: TransportEnvironment;
  readonly handlers: TransportHandlers;
  readonly notices: StrangerNotices;
}

interface InboundStream {
  readonly socket: Socket;
  readonly peer: PeerIdentity;
}

/** The streams other nodes have opened to this one: judged, answered and read. */
export class InboundStreams {
  readonly #options: InboundOptions;
  /** The newest stream of each kind from each peer. */
  readonly #streams = new Map<string, InboundStream>();

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  /** Takes over a connection whose hello says `peer` or `snapshot`. */
  accept(introduction: Introduction): void {
    const { socket, hello, remote } = introduction;
    const { handlers, environment, notices } = this.#options;
    const refuse = (source: string, who: string, refusal: Refusal): void => {
      notices.say(source, `refused ${who} from ${remote}: ${refusal.reason}`);
      refuseHello(socket, hello.streamKind, refusal, environment.setTimer.bind(environment));
    };
    let peer: PeerIdentity;
    try {
      peer = decodeIdentity(hello.payload);
    } catch (error) {
      if (!(error instanceof MalformedBytesError)) throw error;
      const reason = `unreadable identity: ${error.message}`;
      refuse(remote, 'a peer', { code: 'wrong-version', reason });
      return;
    }
    const own = handlers.identity();
    const refusal = this.#judge(own, peer, hello.streamKind);
    if (refusal !== undefined) {
      refuse(`peer ${peer.id}`, `peer '${peer.id}'`, refusal);
      return;
    }
    notices.forget(`peer ${peer.id}`);
    acceptHello(socket, hello.streamKind, encodeIdentity(own));
    this.#receive(introduction, peer, own);
    if (hello.streamKind === 'peer') handlers.peerSeen(peer);
  }

  #judge(own: PeerIdentity, peer: PeerIdentity, streamKind: string): Refusal | undefined {
    const { handlers } = this.#options;
    const admit = (one: PeerIdentity): string | undefined => handlers.admit(one);
    const refusal = refusePeer({ own, peer, expected: undefined, admit });
    if (refusal !== undefined) return refusal;
    const present = this.#streams.get(streamName(streamKind, peer));
    if (present === undefined || present.peer.storeId === peer.storeId) return undefined;
    const reason =
      `duplicate node id '${peer.id}': ${present.peer.address} is connected under it ` +
      `with another store`;
    return { code: 'configuration-mismatch', reason };
  }

  #receive(introduction: Introduction, peer: PeerIdentity, own: PeerIdentity): void {
    const { socket, hello, decoder, remote } = introduction;
    const { limits, handlers } = this.#options;
    const name = streamName(hello.streamKind, peer);
    const stream = { socket, peer };
    // The peer has reconnected: what is left of its earlier stream is dead, known or not.
    this.#streams.get(name)?.socket.destroy();
    this.#streams.set(name, stream);
    decoder.maxFrameBytes = limits.maxFrameBytes;
    const stopWatching = this.#watch(socket);
    receiveFrames(socket, decoder, {
      frame: (frame) => this.#handle(frame, peer, own),
      closed: (reason) => {
        stopWatching();
        if (this.#streams.get(name) === stream) this.#streams.delete(name);
        if (reason === undefined) return;
        handlers.notice(`closed the connection of peer '${peer.id}' from ${remote}: ${reason}`);
      },
    });
  }

  #handle(frame: Frame, peer: PeerIdentity, own: PeerIdentity): void {
    if (frame.kind === FrameKind.ping) return;
    this.#options.handlers.message(decodePeerMessage(frame, peer.id, own.id), peer);
  }

  /**
   * Tells the peer at every interval that its bytes arrive (a ping would wait behind a long frame,
   * so it is not answered itself), and gives up a stream on which none do.
   */
  #watch(socket: Socket): () => void {
    const { environment, limits } = this.#options;
    let seenBytes = socket.bytesRead;
    let silentIntervals = 0;
    const check = (): void => {
      silentIntervals = socket.bytesRead === seenBytes ? silentIntervals + 1 : 0;
      seenBytes = socket.bytesRead;
      if (silentIntervals === 0) socket.write(PONG);
      // The dialer gives up first, and says why.
      if (silentIntervals > 2 * limits.missedPings) socket.destroy();
      else cancel = environment.setTimer(limits.pingIntervalMs, check);
    };
    let cancel = environment.setTimer(limits.pingIntervalMs, check);
    return () => cancel();
  }
}

function streamName(streamKind: string, peer: PeerIdentity): string {
  return `${streamKind} ${peer.id}`;
}
