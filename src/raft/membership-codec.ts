/** Memberships as bytes, for log entries and snapshots. Equal memberships give equal bytes. */
import { ByteReader, ByteWriter, MalformedBytesError } from '../base/index.ts';
import { normalizedMembership } from './membership.ts';
import type { Member, Membership, NodeId } from './types.ts';

const VERSION = 2;

function writeIds(writer: ByteWriter, ids: readonly NodeId[]): void {
  writer.varint(ids.length);
  for (const id of ids) writer.text(id);
}

function readIds(reader: ByteReader): NodeId[] {
  const count = reader.varint();
  const ids: NodeId[] = [];
  for (let i = 0; i < count; i++) {
    const id = reader.text() as NodeId;
    if (i > 0 && id <= ids[i - 1]!) throw new MalformedBytesError('membership ids out of order');
    ids.push(id);
  }
  return ids;
}

/** Layout: version, cluster id, voters, outgoing, learners, promotable, members by id. */
export function encodeMembership(membership: Membership): Uint8Array {
  const normalized = normalizedMembership(membership);
  const writer = new ByteWriter().u8(VERSION).text(normalized.clusterId);
  writeIds(writer, normalized.voters);
  writeIds(writer, normalized.outgoing);
  writeIds(writer, normalized.learners);
  writeIds(writer, normalized.promotable);
  const ids = Object.keys(normalized.members).toSorted((a, b) => (a < b ? -1 : 1)) as NodeId[];
  writeIds(writer, ids);
  for (const id of ids) {
    const { address, storeId, standsDown } = normalized.members[id]!;
    writer
      .text(address)
      .text(storeId)
      .boolean(standsDown === true);
  }
  return writer.finish().slice();
}

/** Throws `MalformedBytesError` when the bytes are not a membership. */
export function decodeMembership(bytes: Uint8Array): Membership {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version !== VERSION) throw new MalformedBytesError(`membership of version ${version}`);
  const clusterId = reader.text();
  const voters = readIds(reader);
  const outgoing = readIds(reader);
  const learners = readIds(reader);
  const promotable = readIds(reader);
  const ids = readIds(reader);
  const entries = ids.map((id): [NodeId, Member] => {
    const address = reader.text();
    const storeId = reader.text();
    const standsDown = reader.boolean();
    return [id, standsDown ? { address, storeId, standsDown } : { address, storeId }];
  });
  reader.end();
  const named = new Set([...voters, ...outgoing, ...learners]);
  if (named.size !== ids.length || !ids.every((id) => named.has(id))) {
    throw new MalformedBytesError('membership members are not those named');
  }
  if (!promotable.every((id) => learners.includes(id))) {
    throw new MalformedBytesError('only learners can be promotable');
  }
  const members = Object.fromEntries(entries) as Record<NodeId, Member>;
  return { clusterId, voters, outgoing, learners, promotable, members };
}
