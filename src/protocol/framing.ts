/** Requests and responses in the frames of a client's stream. */
import { FIRST_FREE_KIND, type OutgoingBatch } from '../wire/index.ts';
import { requestPayload, writeRequestFields } from './request-codec.ts';
import type { Request, Response } from './requests.ts';
import { responsePayload, writeResponseFields } from './response-codec.ts';

/** Where frames are written: a batch, or a frame writer over a socket. */
type FrameTarget = Pick<OutgoingBatch, 'begin' | 'end'>;

/** The kind of a frame whose head is a request. */
export const REQUEST_FRAME: number = FIRST_FREE_KIND;
/** The kind of a frame whose head is a response. */
export const RESPONSE_FRAME: number = FIRST_FREE_KIND + 1;

/**
 * Puts a request into the sender's next write without copying large payloads, which must not change
 * until they are sent. Returns the frame's size, or 0 when it is over the limit and was left out.
 */
export function frameRequest(frames: FrameTarget, request: Request): number {
  writeRequestFields(frames.begin(), request);
  return frames.end(REQUEST_FRAME, requestPayload(request));
}

/** The same for a response. */
export function frameResponse(frames: FrameTarget, response: Response): number {
  writeResponseFields(frames.begin(), response);
  return frames.end(RESPONSE_FRAME, responsePayload(response));
}
