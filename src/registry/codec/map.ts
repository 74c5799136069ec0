import { unreachable, type ByteReader, type ByteWriter } from '../../base/index.ts';
import type { MapCommand, MapRef, MapResult } from '../map-types.ts';
import type { Revision } from '../types.ts';

/** On the wire and in the log for ever: numbers are added, never changed. */
export const MapTag: {
  readonly [Type in MapCommand['type']]: number;
} = {
  openMap: 21,
  detachMap: 22,
  dropMap: 23,
  mapPut: 24,
  mapRemove: 25,
};

/** On the wire and in snapshots: numbers are added, never changed. */
export const MapResultTag: {
  readonly [Type in MapResult['type']]: number;
} = {
  map: 9,
};

/** What stands after the command's number. */
export function writeMapCommand(writer: ByteWriter, command: MapCommand): void {
  writer.byteString(command.map).varint(command.created);
  switch (command.type) {
    case 'openMap':
      writer.boolean(command.persist).boolean(command.prune);
      return;
    case 'detachMap':
    case 'dropMap':
      return;
    case 'mapPut':
      writer.byteString(command.key).bytes(command.value);
      return;
    case 'mapRemove':
      writer.byteString(command.key);
      return;
    default:
      unreachable(command);
  }
}

/** What stands after the command's number, if that is a map command's. Values are views. */
export function readMapCommand(reader: ByteReader, tag: number): MapCommand | undefined {
  switch (tag) {
    case MapTag.openMap: {
      const ref = readRef(reader);
      const persist = reader.boolean();
      return { type: 'openMap', ...ref, persist, prune: reader.boolean() };
    }
    case MapTag.detachMap:
      return { type: 'detachMap', ...readRef(reader) };
    case MapTag.dropMap:
      return { type: 'dropMap', ...readRef(reader) };
    case MapTag.mapPut: {
      const ref = readRef(reader);
      const key = reader.byteString();
      return { type: 'mapPut', ...ref, key, value: reader.bytes() };
    }
    case MapTag.mapRemove: {
      const ref = readRef(reader);
      return { type: 'mapRemove', ...ref, key: reader.byteString() };
    }
    default:
      return undefined;
  }
}

function readRef(reader: ByteReader): MapRef {
  const map = reader.byteString();
  return { map, created: reader.varint() as Revision };
}

/** What stands after the result's number. */
export function writeMapResult(writer: ByteWriter, result: MapResult): void {
  writer.varint(result.revision).boolean(result.existed).varint(result.created);
}

/** What stands after the result's number and revision, if the number is a map result's. */
export function readMapResult(
  reader: ByteReader,
  tag: number,
  revision: Revision,
): MapResult | undefined {
  if (tag !== MapResultTag.map) return undefined;
  const existed = reader.boolean();
  return { type: 'map', revision, existed, created: reader.varint() as Revision };
}
