import assert from 'node:assert/strict';
import { decodeEvents, type Response } from '../../../src/protocol/index.ts';
import type { RevisionEvents } from '../../../src/registry/index.ts';
import type { WatchTarget } from '../../../src/server/watcher.ts';

/** Notes what one watch is sent, and checks what must hold of any message. */
export class RecordingTarget implements WatchTarget {
  writable = true;
  readonly revisions: RevisionEvents[] = [];
  readonly payloads: Uint8Array[] = [];
  started: number | undefined = undefined;
  ended: Extract<Response, { type: 'watchEnded' }> | undefined = undefined;
  /** Bytes received that no credit was granted for. */
  unacknowledged = 0;
  /** The newest revision received, marks included. */
  newest = 0;

  send(response: Response): void {
    assert.equal(this.ended, undefined, 'nothing comes after the end');
    switch (response.type) {
      case 'watchStarted':
        assert.equal(this.started, undefined, 'a watch starts once');
        this.started = response.revision;
        return;
      case 'watchEvents':
        this.#received(response.payload);
        return;
      case 'watchEnded':
        this.ended = response;
        return;
      case 'ok':
      case 'error':
      case 'status':
      case 'leader':
      case 'backupStarted':
      case 'backupChunk':
        assert.fail(`a watch was sent ${response.type}`);
    }
  }

  #received(payload: Uint8Array): void {
    assert.notEqual(this.started, undefined, 'events come after the start');
    assert.ok(this.writable, 'nothing is sent to a client that does not read');
    this.payloads.push(payload);
    this.unacknowledged += payload.length;
    for (const revision of decodeEvents(payload)) {
      assert.ok(revision.revision > this.newest, 'revisions grow');
      this.newest = revision.revision;
      if (revision.events.length > 0) this.revisions.push(revision);
    }
  }
}
