/** A channel to a node over TCP or TLS. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket, type ConnectionOptions as TlsOptions } from 'node:tls';
import { MalformedBytesError } from '../base/index.ts';
import {
  decodeResponse,
  frameRequest,
  RESPONSE_FRAME,
  type Channel,
  type Request,
} from '../protocol/index.ts';
import {
  CLIENT_PROTOCOL_VERSION,
  decodeClientWelcome,
  encodeClientHello,
  FrameKind,
  FrameWriter,
  offerHello,
  parseAddress,
  receiveFrames,
  WireError,
  type ClientWelcome,
  type Frame,
  type FrameDecoder,
} from '../wire/index.ts';
import type { ClusterPin } from './cluster-pin.ts';
import type { ClientEnvironment } from './environment.ts';
import { refusalCode, type EndpointEvents, type OpenEndpoint, type RefusalCode } from './link.ts';

export interface TcpEndpointOptions {
  /** '' accepts any cluster. */
  readonly clusterName: string;
  /** Shared by all that is to reach one cluster; undefined: each endpoint is for itself. */
  readonly pin: ClusterPin | undefined;
  readonly connectTimeoutMs: number;
  readonly environment: ClientEnvironment;
  /** Undefined: plain TCP. */
  readonly tls: TlsOptions | undefined;
}

/** Longest frame either way; a node's default `maxFrameBytes` for clients. */
const MAX_FRAME_BYTES = 16 * 1_048_576;

/** What TLS says when the other side hung up before they agreed. */
const ENDED_EARLY = 'disconnected before secure TLS connection';

/** Opens endpoints given as `host:port`. */
export function tcpEndpoints(options: TcpEndpointOptions): OpenEndpoint {
  return (address, events) => new TcpEndpoint(address, events, options);
}

class TcpEndpoint implements Channel {
  readonly #events: EndpointEvents;
  readonly #options: TcpEndpointOptions;
  readonly #socket: Socket;
  #frames: FrameWriter | undefined = undefined;
  #closed = false;

  constructor(address: string, events: EndpointEvents, options: TcpEndpointOptions) {
    this.#events = events;
    this.#options = options;
    const { host, port } = parseAddress(address);
    const { tls } = options;
    const failed = (error: Error): void => this.#unreached(error);
    this.#socket =
      tls === undefined
        ? connectTcp({ host, port, noDelay: true })
        : connectTls({ ...serverName(host), ...tls, host, port });
    this.#socket.setNoDelay(true);
    this.#socket.once('error', failed);
    this.#socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      this.#socket.off('error', failed);
      this.#greet();
    });
  }

  send(request: Request): void {
    const frames = this.#frames;
    if (this.#closed || frames === undefined) return;
    if (frameRequest(frames, request) > 0) return;
    const message = `key, value and all are over the limit of ${MAX_FRAME_BYTES} bytes`;
    this.#events.response({
      type: 'error',
      id: request.id,
      code: 'too-large',
      message,
      outcome: 'not-applied',
      leader: '',
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#frames?.flush();
    // An error of a socket nobody listens to any more must not end the process.
    this.#socket.on('error', () => undefined);
    if (this.#frames === undefined) this.#socket.destroy();
    else this.#socket.destroySoon();
  }

  #greet(): void {
    const { environment, connectTimeoutMs, clusterName } = this.#options;
    if (this.#closed) return;
    const hello = { clientProtocolVersion: CLIENT_PROTOCOL_VERSION, clusterName };
    const payload = encodeClientHello(hello);
    const setTimer = environment.setTimer.bind(environment);
    const handshake = { timeoutMs: connectTimeoutMs, setTimer };
    offerHello(this.#socket, { streamKind: 'client', payload }, handshake, (result) => {
      if (this.#closed) this.#socket.destroy();
      else if (result.type === 'accepted') this.#accepted(result.payload, result.decoder);
      else if (result.type === 'refused') this.#end(result.reason, refusalCode(result.code));
      else this.#failed(result.error);
    });
  }

  #failed(error: WireError): void {
    if (error.rule === 'wrong-version') this.#end(error.message, 'wrong-version');
    else if (error.rule === 'closed') this.#end(error.message + this.#tlsDoubt());
    else this.#end(error.message);
  }

  /** A port that hangs up at once may be one that speaks otherwise. */
  #tlsDoubt(): string {
    return this.#options.tls === undefined
      ? ' (a port that speaks TLS?)'
      : ' (a port that does not speak TLS?)';
  }

  /** Could not connect, or not agree on TLS. */
  #unreached(error: Error): void {
    const reason = describeFailure(error);
    const untrusted = this.#socket instanceof TLSSocket && this.#socket.authorizationError;
    if (untrusted) this.#end(`its certificate is not trusted: ${reason}`, 'wrong-certificate');
    else if (error.message.includes(ENDED_EARLY)) this.#end(reason + this.#tlsDoubt());
    else this.#end(reason);
  }

  #accepted(payload: Uint8Array, decoder: FrameDecoder): void {
    let welcome: ClientWelcome;
    try {
      welcome = decodeClientWelcome(payload);
    } catch (error) {
      if (!(error instanceof MalformedBytesError)) throw error;
      this.#socket.destroy();
      this.#end(`unreadable welcome: ${error.message}`);
      return;
    }
    const refusal = this.#options.pin?.refusal(welcome);
    if (refusal !== undefined) {
      this.#end(refusal.reason, refusal.code);
      return;
    }
    decoder.maxFrameBytes = MAX_FRAME_BYTES;
    this.#frames = new FrameWriter(this.#socket, { maxFrameBytes: MAX_FRAME_BYTES });
    this.#events.opened(welcome.nodeId);
    this.#events.response({ type: 'leader', id: 0, address: welcome.leaderAddress });
    receiveFrames(this.#socket, decoder, {
      frame: (frame) => this.#receive(frame),
      closed: (reason) => this.#end(reason ?? 'the node closed the connection'),
    });
  }

  #receive(frame: Frame): void {
    if (this.#closed) return;
    if (frame.kind === FrameKind.ping || frame.kind === FrameKind.pong) return;
    if (frame.kind !== RESPONSE_FRAME) {
      throw new WireError('unexpected-frame', `frame of kind ${frame.kind} from a node`);
    }
    this.#events.response(decodeResponse(frame.head));
  }

  #end(reason: string, code?: RefusalCode): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#events.closed(reason, code);
  }
}

/** A name to check the certificate against; addresses have none. */
function serverName(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

/** Several addresses for one name fail together, in an error without a message of its own. */
function describeFailure(error: Error): string {
  const causes: unknown[] = error instanceof AggregateError ? error.errors : [error];
  const texts = causes.map((one) => (one instanceof Error ? one.message : String(one)));
  return texts.join(', ');
}
