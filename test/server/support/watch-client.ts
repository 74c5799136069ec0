import assert from 'node:assert/strict';
import { decodeEvents, type Response } from '../../../src/protocol/index.ts';
import type { RevisionEvents } from '../../../src/registry/index.ts';
import type { WatchTarget } from '../../../src/server/watcher.ts';

/** Notes what one watch is sent, and checks what must hold of any message. */
export class RecordingTarget implements WatchTarget {
  writable = true;
  readonly revisions: RevisionEvents[] = [];
  /** What was told when a mark came. */
  readonly marks: { readonly revision: number; readonly told: number }[] = [];
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
      const isMark = revision.events.length === 0;
      const grows =
        revision.revision > this.newest || (isMark && revision.revision === this.newest);
      assert.ok(grows, 'revisions grow; only a mark may repeat one');
      this.newest = revision.revision;
      if (isMark) this.marks.push({ revision: revision.revision, told: this.revisions.length });
      else this.revisions.push(revision);
    }
  }
}
