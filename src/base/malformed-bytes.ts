/** Thrown by `ByteReader` when the bytes end too early or hold an impossible value. */
export class MalformedBytesError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedBytesError';
  }
}
