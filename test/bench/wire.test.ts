/** What is said to etcd and along the bare pipeline, byte by byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameCutter, framesOf } from '../../bench/limit/frames.ts';
import {
  claimRequest,
  fieldOf,
  grpcMessage,
  leaseGrantRequest,
  putRequest,
  rangeRequest,
} from '../../bench/peers/etcd-messages.ts';

test('requests are the protocol buffers that etcd reads', () => {
  assert.equal(rangeRequest('k').toString('hex'), '0a016b');
  assert.equal(rangeRequest('k', true).toString('hex'), '0a016b3801');
  assert.equal(leaseGrantRequest(60, 300).toString('hex'), '083c10ac02');
  const put = putRequest('k', new Uint8Array(256).fill(1));
  assert.equal(put.subarray(0, 7).toString('hex'), '0a016b12800201');
  assert.equal(grpcMessage(rangeRequest('k')).toString('hex'), '00000000030a016b');
});

test('a claim puts only where the key was never created', () => {
  const claim = claimRequest('k', 7);
  const compare = fieldOf(claim, 1);
  assert.ok(compare instanceof Uint8Array);
  assert.equal(fieldOf(compare, 2), 1);
  assert.equal(fieldOf(compare, 5), 0);
  const success = fieldOf(claim, 2);
  assert.ok(success instanceof Uint8Array);
  const put = fieldOf(success, 2);
  assert.ok(put instanceof Uint8Array);
  assert.equal(fieldOf(put, 3), 7);
});

test('fields are found behind others of either kind; what is not there is undefined', () => {
  const bytes = Buffer.from('08ac02120268691807', 'hex');
  assert.equal(fieldOf(bytes, 1), 300);
  assert.deepEqual(fieldOf(bytes, 2), Buffer.from('hi'));
  assert.equal(fieldOf(bytes, 3), 7);
  assert.equal(fieldOf(bytes, 4), undefined);
});

test('frames are cut the same wherever the stream is', () => {
  const stream = framesOf([1, 2, 70_000], 5);
  for (let cut = 0; cut <= stream.length; cut++) {
    const seen: [number, number][] = [];
    const cutter = new FrameCutter((number, bytes) => seen.push([number, bytes.length]));
    cutter.push(stream.subarray(0, cut));
    cutter.push(stream.subarray(cut));
    assert.deepEqual(
      seen,
      [
        [1, 5],
        [2, 5],
        [70_000, 5],
      ],
      `cut at ${cut}`,
    );
  }
});
