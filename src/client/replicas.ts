/** The care of all replicas, over calls to each of them. */
import { HoldfastError } from '../base/index.ts';
import type { MaintainAction, StatusReport } from '../protocol/index.ts';
import { knownOptions } from './call-options.ts';
import { wholeNumber } from './checks.ts';
import { parseDuration } from './duration.ts';
import type { MemberCalls } from './member-calls.ts';
import type { RegistrySettings } from './options.ts';
import type { Patience } from './proposals.ts';
import type { CallOptions } from './registry.ts';
import type { RegistryClient } from './registry-client.ts';
import type { ReplicaCare, Verification, VerifyOptions } from './verify-types.ts';
import { Verify, type VerifySettings } from './verify.ts';
import { abortError, pause } from './waiting.ts';

const PATIENCE_MS = 60_000;
const MAX_DIFFERENCES = 100;
const ASK_MS = 2_000;
const POLL_MS = 50;

export class Replicas implements ReplicaCare {
  readonly #registry: RegistryClient;
  readonly #members: MemberCalls;
  readonly #settings: RegistrySettings;

  constructor(registry: RegistryClient, members: MemberCalls, settings: RegistrySettings) {
    this.#registry = registry;
    this.#members = members;
    this.#settings = settings;
  }

  async verify(options: VerifyOptions = {}): Promise<Verification> {
    knownOptions('verify', options);
    const { quick = false, maxDifferences = MAX_DIFFERENCES, onProgress } = options;
    const host = {
      hashTree: this.#registry.hashTree,
      members: this.#members,
      openSession: ({ signal }: VerifySettings['patience']) =>
        this.#registry.openSession({
          label: 'verify',
          ...(signal === undefined ? {} : { signal }),
        }),
    };
    return await new Verify(host, {
      quick,
      maxDifferences: wholeNumber(maxDifferences, 'maxDifferences'),
      patience: { ...this.#patience(options, PATIENCE_MS), signal: options.signal },
      progress: (progress) => onProgress?.(progress),
    }).run();
  }

  async quarantine(id: string, options?: CallOptions): Promise<void> {
    await this.#maintain(id, 'quarantine', this.#patience(options));
  }

  async endQuarantine(id: string, options?: CallOptions): Promise<void> {
    await this.#maintain(id, 'endQuarantine', this.#patience(options));
  }

  async reinstall(id: string, options?: CallOptions): Promise<void> {
    const patience = this.#patience(options, PATIENCE_MS);
    const before = await this.#status(id, patience);
    const role = roleIn(before, id);
    await this.#maintain(id, 'reinstall', patience);
    for (;;) {
      const status = await this.#status(id, this.#atMost(patience)).catch(() => undefined);
      const isNew = status !== undefined && status.storeId !== before.storeId;
      if (isNew && status.role !== 'joining' && roleIn(status, id) === role) return;
      const { signal, deadlineMs } = patience;
      if (signal?.aborted === true) throw abortError(signal, 'the wait');
      if (this.#members.environment.now() >= deadlineMs) {
        const text = `${id} was emptied, but does not take part again yet`;
        throw new HoldfastError('timeout', text, { outcome: 'unknown' });
      }
      await pause(POLL_MS, this.#members.environment, signal);
    }
  }

  async #maintain(id: string, action: MaintainAction, patience: Patience): Promise<void> {
    await this.#members.call(id, { type: 'maintain', action }, patience);
  }

  async #status(id: string, patience: Patience): Promise<StatusReport> {
    const response = await this.#members.call(id, { type: 'status' }, patience);
    if (response.type === 'status') return response.status;
    throw new HoldfastError('internal', `a status was answered with ${response.type}`);
  }

  #patience(
    options: Pick<CallOptions, 'timeout' | 'signal'> | undefined,
    defaultMs = this.#settings.requestTimeoutMs,
  ): Patience {
    knownOptions('verify', options);
    const timeout = options?.timeout;
    const timeoutMs = timeout === undefined ? defaultMs : parseDuration(timeout, 'timeout');
    return { deadlineMs: this.#members.environment.now() + timeoutMs, signal: options?.signal };
  }

  #atMost({ deadlineMs, signal }: Patience): Patience {
    const now = this.#members.environment.now();
    return { deadlineMs: Math.min(deadlineMs, now + ASK_MS), signal };
  }
}

function roleIn(status: StatusReport, id: string): string {
  return status.members.find((member) => member.id === id)?.role ?? '';
}
