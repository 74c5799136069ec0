/** Rules for what people type: names, addresses, ranges. Broken ones are refused with the rule. */
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { HoldfastError, unknownOptions, unreachable } from '../base/index.ts';
import { parseAddress } from '../wire/index.ts';
import { MAX_ADDRESS_BYTES, MAX_NODE_ID_BYTES, MAX_WATCH_BOUND_BYTES } from './limits.ts';
import type { Request } from './requests.ts';

/** A node's id, as options, members and the command line take it. */
export const nodeIdSchema: z.ZodType<string> = z
  .string()
  .max(MAX_NODE_ID_BYTES, `a node id has at most ${MAX_NODE_ID_BYTES} characters`)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    'a node id is made of letters, digits, ".", "_" and "-", and begins with a letter or digit',
  );

/** Where a node can be reached: `host:port`, with an IPv6 host in brackets. */
export const addressSchema: z.ZodType<string> = z
  .string()
  .max(MAX_ADDRESS_BYTES, `an address has at most ${MAX_ADDRESS_BYTES} characters`)
  .refine(isAddress, {
    error: ({ input }) =>
      'an address is host:port with a port up to 65535, like 10.0.0.1:7400 or [::1]:7400, ' +
      `not '${String(input)}'`,
  });

function isAddress(address: string): boolean {
  try {
    return parseAddress(address).port >= 0;
  } catch {
    return false;
  }
}

type Pem = string | Uint8Array | undefined;

/** Why these PEM texts cannot serve for TLS, or undefined when they can. */
export function tlsFault(pems: {
  readonly ca?: Pem;
  readonly cert?: Pem;
  readonly key?: Pem;
}): string | undefined {
  const { ca, cert, key } = pems;
  const given: Record<string, Buffer> = {};
  for (const [name, pem] of Object.entries({ ca, cert, key })) {
    if (pem === undefined) continue;
    given[name] = Buffer.from(pem);
    if (!given[name].includes('-----BEGIN ')) return `tls.${name} is not a PEM text`;
  }
  try {
    createSecureContext(given);
    return undefined;
  } catch (error) {
    return `tls cannot be used: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const changeSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('add'),
    id: nodeIdSchema,
    address: addressSchema,
    promote: z.boolean(),
  }),
  z.object({ type: z.enum(['promote', 'demote', 'remove']), id: nodeIdSchema }),
]);

const transferTargetSchema = z.union([z.literal(''), nodeIdSchema]);

const watchSchema = z
  .object({
    start: z.string().max(MAX_WATCH_BOUND_BYTES, 'the start of a watch is too long for any key'),
    end: z
      .string()
      .max(MAX_WATCH_BOUND_BYTES, 'the end of a watch is too long for any key')
      .optional(),
    from: z.number().int('from is a revision, a whole number').min(0, 'from is 0 or a revision'),
  })
  .refine(({ start, end }) => end === undefined || end > start, 'a watch ends after it starts');

const lockNameSchema = z
  .string()
  .min(1, 'the name of a lock must not be empty')
  .max(MAX_WATCH_BOUND_BYTES, 'the name of a lock is too long for any key');

/**
 * Refuses a request that breaks a rule. Hot requests are not looked at: their fields are checked by
 * the codec, their payload by the registry.
 */
export function checkRequest(request: Request): HoldfastError | undefined {
  switch (request.type) {
    case 'member':
      return refusal(changeSchema.safeParse(request.change));
    case 'transfer':
      return refusal(transferTargetSchema.safeParse(request.to));
    case 'watch':
      return refusal(watchSchema.safeParse(request));
    case 'awaitGrant':
      return refusal(lockNameSchema.safeParse(request.name));
    case 'propose':
    case 'query':
    case 'leaderQuery':
    case 'cancel':
    case 'watchCredit':
    case 'watchProgress':
    case 'status':
    case 'maintain':
    case 'backup':
      return undefined;
    default:
      return unreachable(request);
  }
}

function refusal(result: z.ZodSafeParseResult<unknown>): HoldfastError | undefined {
  if (result.success) return undefined;
  return new HoldfastError('invalid-argument', describeIssues(result.error));
}

/** An object of options with these names and no other: one that is misspelt is named. */
export function optionsSchema<Shape extends z.ZodRawShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return 'an object of options is expected';
      return unknownOptions(issue.keys, Object.keys(shape));
    },
  });
}

/** Every broken rule in one line, each with the path of the option that broke it. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .map((issue) =>
      issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`,
    )
    .join('; ');
}
