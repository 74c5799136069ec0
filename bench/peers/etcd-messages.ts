/**
 * The requests of etcd's API that are needed here, as protocol buffers, and what is looked at in
 * the answers. Numbers are those of etcd's `rpc.proto`.
 */

/** Of gRPC: not compressed, then the size. */
const GRPC_PREFIX_BYTES = 5;
const LENGTH_DELIMITED = 2;

type Field = readonly [number: number, value: number | Uint8Array | string];

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

function message(...fields: readonly Field[]): Buffer {
  const parts = fields.flatMap(([number, value]): Uint8Array[] => {
    if (typeof value === 'number') return [Buffer.from([...varint(number * 8), ...varint(value)])];
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    const tag = varint(number * 8 + LENGTH_DELIMITED);
    return [Buffer.from([...tag, ...varint(bytes.length)]), bytes];
  });
  return Buffer.concat(parts);
}

/** As it is sent: a message of gRPC. */
export function grpcMessage(bytes: Uint8Array): Buffer {
  const prefix = Buffer.alloc(GRPC_PREFIX_BYTES);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

export const ETCD_PATHS = {
  put: '/etcdserverpb.KV/Put',
  range: '/etcdserverpb.KV/Range',
  deleteRange: '/etcdserverpb.KV/DeleteRange',
  txn: '/etcdserverpb.KV/Txn',
  leaseGrant: '/etcdserverpb.Lease/LeaseGrant',
  lock: '/v3lockpb.Lock/Lock',
  unlock: '/v3lockpb.Lock/Unlock',
} as const;

export function putRequest(key: string, value: Uint8Array): Buffer {
  return message([1, key], [2, value]);
}

/** Linearizable, unless `serializable`. */
export function rangeRequest(key: string, serializable = false): Buffer {
  return serializable ? message([1, key], [7, 1]) : message([1, key]);
}

export function deleteRequest(key: string): Buffer {
  return message([1, key]);
}

/** @param lease its id, which the caller chooses: etcd's own are beyond what a number can hold */
export function leaseGrantRequest(ttlSeconds: number, lease: number): Buffer {
  return message([1, ttlSeconds], [2, lease]);
}

/** Puts a key of a lease if there is none: the first step of etcd's recipe for a lock. */
export function claimRequest(key: string, lease: number): Buffer {
  // Compare: result EQUAL (0), target CREATE (1), key, create_revision 0.
  const compare = message([2, 1], [3, key], [5, 0]);
  const put = message([2, message([1, key], [2, ''], [3, lease])]);
  const get = message([1, message([1, key])]);
  return message([1, compare], [2, put], [3, get]);
}

/** As a conditional write of the same shape as the registry's transaction row. */
export function transactionRequest(
  keys: readonly [string, string, string],
  value: Uint8Array,
): Buffer {
  // Compare: result GREATER (1), target VERSION (0), key, version 0.
  const compare = message([1, 1], [3, keys[0]], [4, 0]);
  const puts = [keys[0], keys[1]].map((key) => message([2, putRequest(key, value)]));
  const get = message([1, rangeRequest(keys[2])]);
  return message([1, compare], ...puts.map((put): Field => [2, put]), [2, get]);
}

export function lockRequest(name: string, lease: number): Buffer {
  return message([1, name], [2, lease]);
}

export function unlockRequest(key: Uint8Array): Buffer {
  return message([1, key]);
}

/** The value of a field at the top of an answer; undefined when it is not there. */
export function fieldOf(answer: Uint8Array, wanted: number): number | Uint8Array | undefined {
  let at = 0;
  const number = (): number => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = answer[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  };
  while (at < answer.length) {
    const tag = number();
    const [field, type] = [Math.floor(tag / 8), tag % 8];
    const value = number();
    if (type !== LENGTH_DELIMITED) {
      if (field === wanted) return value;
      continue;
    }
    if (field === wanted) return answer.subarray(at, at + value);
    at += value;
  }
  return undefined;
}
