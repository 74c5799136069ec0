import assert from 'node:assert/strict';
import { HoldfastError } from '../../../src/index.ts';

/** What a call that has to fail fails with. */
export async function failure(promise: Promise<unknown>): Promise<HoldfastError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HoldfastError, `no HoldfastError: ${String(error)}`);
  return error;
}
