/** The options of a client and of an embedded registry, checked. */
import { z } from 'zod';
import { HoldfastError } from '../base/index.ts';
import {
  addressSchema,
  describeIssues,
  optionsSchema,
  plainRules,
  tlsFault,
} from '../protocol/index.ts';
import { parseDuration } from './duration.ts';
import type { Duration } from './registry.ts';

/** How a registry behaves towards its user. */
export interface RegistryOptions {
  /**
   * How long a call waits for its answer when it does not say so itself, and `connect` for a node;
   * 5 s by default. Waiting for a lock is not counted: see `wait`.
   */
  readonly requestTimeout?: Duration;
  /** TTL of keys put without `ttl` and without `persist: true`; by default they stay for ever. */
  readonly defaultTtl?: Duration;
  /** TTL of the registry's own session and of sessions opened without one; 15 s by default. */
  readonly sessionTtl?: Duration;
  /**
   * Number writes within a session of the registry's own, so that they can be retried without
   * being applied twice. On by default; without it a write whose answer is lost fails with outcome
   * `unknown`, and a session is opened only for a lock.
   */
  readonly exactlyOnce?: boolean;
  /**
   * Calls under way at once, 10,000 by default; one more is refused as `overloaded`. A node has a
   * limit of its own for each client, `serviceLimits.maxRequestsInFlight`.
   */
  readonly maxInFlight?: number;
}

/** TLS towards the nodes. PEM texts. */
export interface ClientTls {
  /** Authorities that nodes must be signed by; the system's when absent. */
  readonly ca?: string | Uint8Array;
  /** For clusters that ask clients for a certificate. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** Name to check the nodes' certificates against, when it is not the host's. */
  readonly serverName?: string;
}

export interface ConnectOptions extends RegistryOptions {
  /** Nodes to begin with, as `host:port`; one that answers is enough. */
  readonly endpoints: readonly string[];
  /** Refuse any cluster of another name. */
  readonly clusterName?: string;
  /**
   * Refuse any other cluster, of the same name too; by default the first one met is kept to. Nodes
   * tell it in their status.
   */
  readonly clusterId?: string;
  readonly tls?: ClientTls;
}

export interface RegistrySettings {
  readonly requestTimeoutMs: number;
  /** 0: keys do not expire by themselves. */
  readonly defaultTtlMs: number;
  readonly sessionTtlMs: number;
  readonly exactlyOnce: boolean;
  readonly maxInFlight: number;
}
export interface ConnectSettings {
  readonly endpoints: readonly string[];
  readonly clusterName: string;
  /** '' for the first that is met. */
  readonly clusterId: string;
  readonly tls: ClientTls | undefined;
  readonly registry: RegistrySettings;
}

function duration(what: string, defaultMs: number): z.ZodType<number> {
  return z
    .unknown()
    .optional()
    .transform((value, context) => {
      if (value === undefined) return defaultMs;
      try {
        return parseDuration(value as Duration, what);
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    });
}

const registryFields = {
  requestTimeout: duration('requestTimeout', 5_000),
  defaultTtl: duration('defaultTtl', 0),
  sessionTtl: duration('sessionTtl', 15_000),
  exactlyOnce: z.boolean('exactlyOnce is true or false').default(true),
  maxInFlight: z
    .int('maxInFlight is a whole number')
    .min(1, 'maxInFlight is at least 1')
    .default(10_000),
};
const pem = z.union([z.string(), z.instanceof(Uint8Array)]).optional();

const registrySchema = optionsSchema(registryFields);
const connectSchema = optionsSchema({
  ...registryFields,
  endpoints: z
    .array(addressSchema, 'endpoints is a list of host:port')
    .min(1, 'endpoints names at least one node')
    .refine((list) => new Set(list).size === list.length, 'endpoints names a node twice'),
  clusterName: z.string('clusterName is text').default(''),
  clusterId: z.string('clusterId is text').default(''),
  tls: optionsSchema({ ca: pem, cert: pem, key: pem, serverName: z.string().optional() })
    .refine(
      ({ cert, key }) => (cert === undefined) === (key === undefined),
      'tls.cert and tls.key go together',
    )
    .optional(),
});

/** @throws HoldfastError `invalid-argument` that names every rule broken. */
export function registrySettings(options: RegistryOptions): RegistrySettings {
  const parsed = registrySchema.safeParse(options, plainRules);
  if (!parsed.success) throw invalid('registry options', parsed.error);
  return settingsOf(parsed.data);
}

/** @throws HoldfastError `invalid-argument` that names every rule broken. */
export function connectSettings(options: ConnectOptions): ConnectSettings {
  const parsed = connectSchema.safeParse(options, plainRules);
  if (!parsed.success) throw invalid('connect options', parsed.error);
  const { endpoints, clusterName, clusterId } = parsed.data;
  const fault = tlsFault(options.tls ?? {});
  if (fault !== undefined) throw new HoldfastError('invalid-argument', fault);
  const registry = settingsOf(parsed.data);
  return { endpoints, clusterName, clusterId, tls: options.tls, registry };
}

function settingsOf(fields: z.infer<typeof registrySchema>): RegistrySettings {
  return {
    requestTimeoutMs: fields.requestTimeout,
    defaultTtlMs: fields.defaultTtl,
    sessionTtlMs: fields.sessionTtl,
    exactlyOnce: fields.exactlyOnce,
    maxInFlight: fields.maxInFlight,
  };
}

function invalid(what: string, error: z.ZodError): HoldfastError {
  return new HoldfastError('invalid-argument', `${what}: ${describeIssues(error)}`);
}

/** Of a put: in ms, 0 for a key that never expires; undefined for the registry's default. */
export function ttlOf(options: {
  readonly ttl?: Duration;
  readonly persist?: boolean;
}): number | undefined {
  if (options.ttl === undefined) return options.persist === true ? 0 : undefined;
  if (options.persist === true) {
    throw new HoldfastError('invalid-argument', 'a put takes ttl or persist, not both');
  }
  return parseDuration(options.ttl, 'ttl');
}
