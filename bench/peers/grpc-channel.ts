/**
 * As little of gRPC over HTTP/2 as it takes to send requests one after another or many at once:
 * headers are sent as literals, so they are the same bytes every time, and those of answers are
 * skipped. An answer without a message is an error of the server's.
 */
import { connect, type Socket } from 'node:net';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const FRAME_BYTES = 9;
const GRPC_PREFIX_BYTES = 5;
const MAX_WINDOW = 2 ** 31 - 1;
const INITIAL_WINDOW = 65_535;
/** Window is given back to the server when so much was received. */
const WINDOW_STEP = 2 ** 30;
const Frame = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  window: 8,
} as const;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;

interface Call {
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly chunks: Buffer[];
}

export class GrpcChannel {
  readonly #socket: Socket;
  readonly #authority: string;
  readonly #calls = new Map<number, Call>();
  readonly #headers = new Map<string, Buffer>();
  #unsent: { readonly stream: number; readonly frames: Buffer; readonly size: number }[] = [];
  #nextStream = 1;
  #window = INITIAL_WINDOW;
  #received = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(endpoint: string) {
    const [host, port] = endpoint.split(':');
    this.#authority = endpoint;
    this.#socket = connect({ host: host ?? '', port: Number(port), noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#push(chunk));
    this.#socket.on('error', (error) => this.#lost(error));
    this.#socket.on('close', () => this.#lost(new Error(`${endpoint} closed the connection`)));
    // Settings: INITIAL_WINDOW_SIZE (4), so that no stream ever waits for room.
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(4, 0);
    settings.writeUInt32BE(MAX_WINDOW, 2);
    this.#socket.write(
      Buffer.concat([Buffer.from(PREFACE), frame(Frame.settings, 0, 0, settings)]),
    );
    this.#giveWindow(MAX_WINDOW - INITIAL_WINDOW);
  }

  /** @param request a message of gRPC, prefix included */
  call(path: string, request: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const stream = this.#nextStream;
      this.#nextStream += 2;
      this.#calls.set(stream, { resolve, reject, chunks: [] });
      const frames = Buffer.concat([
        frame(Frame.headers, END_HEADERS, stream, this.#headersOf(path)),
        frame(Frame.data, END_STREAM, stream, request),
      ]);
      this.#unsent.push({ stream, frames, size: request.length });
      this.#send();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(): void {
    while (this.#unsent.length > 0 && this.#unsent[0]!.size <= this.#window) {
      const { frames, size } = this.#unsent.shift()!;
      this.#window -= size;
      this.#socket.write(frames);
    }
  }

  #headersOf(path: string): Buffer {
    const known = this.#headers.get(path);
    if (known !== undefined) return known;
    const fields = [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', path],
      [':authority', this.#authority],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
    ];
    // Literal header fields, not indexed, with new names (RFC 7541, 6.2.2); all shorter than 127.
    const block = Buffer.concat(
      fields.map(([name = '', value = '']) =>
        Buffer.concat([
          Buffer.from([0, name.length]),
          Buffer.from(name),
          Buffer.from([value.length]),
          Buffer.from(value),
        ]),
      ),
    );
    this.#headers.set(path, block);
    return block;
  }

  #push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_BYTES) {
      const size = bytes.readUIntBE(at, 3);
      const end = at + FRAME_BYTES + size;
      if (end > bytes.length) break;
      const body = bytes.subarray(at + FRAME_BYTES, end);
      this.#take(bytes[at + 3]!, bytes[at + 4]!, bytes.readUInt32BE(at + 5) & MAX_WINDOW, body);
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }

  #take(type: number, flags: number, stream: number, body: Buffer): void {
    const call = this.#calls.get(stream);
    if (type === Frame.data) {
      call?.chunks.push(body);
      this.#received += body.length;
      if (this.#received >= WINDOW_STEP) this.#giveWindow(this.#received);
    } else if (type === Frame.settings && (flags & ACK) === 0) {
      this.#socket.write(frame(Frame.settings, ACK, 0, Buffer.alloc(0)));
    } else if (type === Frame.ping && (flags & ACK) === 0) {
      this.#socket.write(frame(Frame.ping, ACK, 0, body));
    } else if (type === Frame.window && stream === 0) {
      this.#window += body.readUInt32BE(0);
      this.#send();
    } else if (type === Frame.reset || type === Frame.goAway) {
      this.#lost(new Error(`${this.#authority} refused to go on (HTTP/2 frame ${type})`));
    }
    const isOver = (type === Frame.data || type === Frame.headers) && (flags & END_STREAM) !== 0;
    if (isOver && call !== undefined) this.#finish(stream, call);
  }

  #finish(stream: number, call: Call): void {
    this.#calls.delete(stream);
    const bytes = Buffer.concat(call.chunks);
    if (bytes.length >= GRPC_PREFIX_BYTES) call.resolve(bytes.subarray(GRPC_PREFIX_BYTES));
    else call.reject(new Error(`${this.#authority} answered with an error`));
  }

  #giveWindow(size: number): void {
    this.#received = 0;
    const body = Buffer.alloc(4);
    body.writeUInt32BE(size);
    this.#socket.write(frame(Frame.window, 0, 0, body));
  }

  #lost(error: Error): void {
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    this.#unsent = [];
  }
}

function frame(type: number, flags: number, stream: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(FRAME_BYTES);
  header.writeUIntBE(body.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, body]);
}
