import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClientEnvironment } from '../../src/client/index.ts';
import type { Link, LinkAnswer } from '../../src/client/link.ts';
import { registrySettings } from '../../src/client/options.ts';
import { Proposals, NOBODY } from '../../src/client/proposals.ts';
import { Sequencer } from '../../src/client/sequencer.ts';
import type { SessionId } from '../../src/registry/index.ts';
import { failure } from './support/harness.ts';

/** Answers everything with the same bytes. */
function answering(payload: Uint8Array): Link {
  const answer: LinkAnswer = {
    response: { type: 'ok', id: 1, payload },
    sentAtMs: 0,
    doubted: false,
  };
  return {
    nodeId: 'a',
    call: () => Promise.resolve(answer),
    begin: (_, outcome) => outcome.answered(answer),
    watch: () => assert.fail('nothing is watched'),
    onArrival: () => undefined,
    close: () => undefined,
  };
}

test('[API-124] an unreadable answer is told as such, and what it leaves unknown', async () => {
  const proposals = new Proposals(answering(new Uint8Array([255, 1, 2])), systemClientEnvironment);
  const { requestTimeoutMs } = registrySettings({});
  const patience = { deadlineMs: performance.now() + requestTimeoutMs, signal: undefined };
  const read = await failure(proposals.query({ type: 'stats' }, 'linearizable', patience));
  assert.equal(read.code, 'wrong-version');
  assert.equal(read.outcome, 'not-applied');
  assert.match(read.message, /the node's answer cannot be read: .*; do both run one version\?/);
  const write = await failure(proposals.propose({ type: 'tick' }, NOBODY, patience));
  assert.equal(write.code, 'wrong-version');
  assert.equal(write.outcome, 'unknown');
});

test('[API-125] a number whose write could not even leave is given up, not left open', async () => {
  const link: Link = {
    ...answering(new Uint8Array(0)),
    begin: () => {
      throw new TypeError('no such thing');
    },
  };
  const proposals = new Proposals(link, systemClientEnvironment);
  const sequencer = new Sequencer(2);
  const actor = { session: 1 as SessionId, sequencer, gone: () => undefined };
  const patience = { deadlineMs: performance.now() + 1000, signal: undefined };
  for (let number = 1; number <= 5; number++) {
    await assert.rejects(proposals.propose({ type: 'tick' }, actor, patience), TypeError);
    assert.equal(sequencer.acknowledged, number);
  }
});
