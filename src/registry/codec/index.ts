export { decodeAnswer, encodeAnswer } from './answer.ts';
export { decodeCommand, encodeCommand, mayComeFromClient, type DecodedCommand } from './command.ts';
export { causeNumber, causeOf, decodeEvents, encodeEvents } from './events.ts';
export {
  decodeLeaseAnswer,
  decodeLeaseQuery,
  encodeLeaseAnswer,
  encodeLeaseQuery,
} from './lease.ts';
export { decodeQuery, encodeQuery, isTreeQuery } from './query.ts';
export { decodeNotice } from './notice.ts';
export { decodeResult, encodeResult } from './result.ts';
