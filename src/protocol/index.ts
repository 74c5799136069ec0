export {
  decodeAnswer,
  decodeEvents,
  decodeLeaseAnswer,
  decodeResult,
  encodeCommand,
  encodeLeaseQuery,
  encodeQuery,
} from '../registry/index.ts';
export type * from '../registry/types.ts';
export * from './channel.ts';
export { frameRequest, frameResponse, REQUEST_FRAME, RESPONSE_FRAME } from './framing.ts';
export * from './limits.ts';
export { decodeRequest, encodeRequest } from './request-codec.ts';
export * from './requests.ts';
export { decodeResponse, encodeResponse } from './response-codec.ts';
export { plainRules } from './plain-rules.ts';
export {
  addressSchema,
  checkRequest,
  describeIssues,
  nodeIdSchema,
  optionsSchema,
  tlsFault,
} from './validation.ts';
