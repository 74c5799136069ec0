/** What every client command starts from: the global options, and a connected client. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parseDuration } from '../client/duration.ts';
import type { ConnectOptions, HoldfastClient } from '../client/index.ts';
import { usageError } from './exit.ts';
import { parseFormat, type Format } from './output.ts';

const DEFAULT_ENDPOINTS = '127.0.0.1:7400,127.0.0.1:7401,127.0.0.1:7402';

/** The options `--tls-ca`, `--tls-cert` and `--tls-key` of every command: names of PEM files. */
export interface TlsFlags {
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

export interface GlobalOptions {
  readonly endpoints: readonly string[];
  readonly format: Format;
  readonly timeoutMs: number;
}

/** Adds the options every client command takes. */
export function withGlobalOptions(program: Command): Command {
  return program
    .option(
      '--endpoints <list>',
      'nodes to talk to, any of the cluster (host:port,...); or HOLDFAST_ENDPOINTS',
      process.env['HOLDFAST_ENDPOINTS'] ?? DEFAULT_ENDPOINTS,
    )
    .option('-w, --write-out <format>', 'simple, json or table', 'simple')
    .option('--timeout <duration>', 'how long to wait for an answer', '5s')
    .option('--tls-ca <file>', 'speak TLS with nodes that this authority (PEM) has signed')
    .option('--tls-cert <file>', 'own certificate (PEM), for a cluster that asks for one')
    .option('--tls-key <file>', 'private key (PEM) of --tls-cert');
}

/** The output format alone, for commands that talk to no node. */
export function globalFormat(command: Command): Format {
  return parseFormat(command.optsWithGlobals<{ writeOut: string }>().writeOut);
}

function globalOptions(command: Command): GlobalOptions {
  const options = command.optsWithGlobals<{
    endpoints: string;
    writeOut: string;
    timeout: string;
  }>();
  const endpoints = options.endpoints
    .split(',')
    .map((endpoint) => endpoint.trim())
    .filter((endpoint) => endpoint !== '');
  if (endpoints.length === 0) throw usageError('--endpoints names no node: give host:port,...');
  return {
    endpoints,
    format: parseFormat(options.writeOut),
    timeoutMs: durationOption('--timeout', options.timeout),
  };
}

/** A duration from the command line, in ms, with the option's name in the error. */
export function durationOption(name: string, text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw usageError(
      `${name} takes a duration from 1ms to 365d, like 250ms, 10s or 5m, not '${text}'`,
    );
  }
}

/** The contents of the files. */
export interface PemTexts {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What the TLS options name, read; undefined when none is given. */
export async function readTls(flags: TlsFlags): Promise<PemTexts | undefined> {
  const { tlsCa, tlsCert, tlsKey } = flags;
  if (tlsCa === undefined && tlsCert === undefined && tlsKey === undefined) return undefined;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw usageError('--tls-cert and --tls-key go together: a certificate and its private key');
  }
  const [ca, cert, key] = await Promise.all([tlsCa, tlsCert, tlsKey].map(readPem));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function readPem(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(`cannot read the PEM file '${file}': ${reason}`);
  }
}

/** A whole number above zero from the command line. */
export function numberOption(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value === 0) {
    throw usageError(`${name} takes a whole number above zero, not '${text}'`);
  }
  return value;
}

export interface ClientContext {
  readonly client: HoldfastClient;
  readonly options: GlobalOptions;
}

export interface ClientNeeds {
  /** Open a session so that writes are retried without being applied twice; for long jobs. */
  readonly exactlyOnce?: boolean;
}

/** Connects, runs `body`, and closes whatever happened. */
export async function withClient<T>(
  command: Command,
  body: (context: ClientContext) => Promise<T>,
  needs: ClientNeeds = {},
): Promise<T> {
  const { options, target } = await clientTarget(command);
  // Not before: help and mistakes do without it, and loading it takes most of the start.
  const { connect } = await import('../client/index.ts');
  const client = await connect({ ...target, exactlyOnce: needs.exactlyOnce ?? false });
  try {
    return await body({ client, options });
  } finally {
    await client.close();
  }
}

/** The global options, and what of them tells how to reach the cluster. */
export async function clientTarget(
  command: Command,
): Promise<{ readonly options: GlobalOptions; readonly target: ConnectOptions }> {
  const options = globalOptions(command);
  const tls = await readTls(command.optsWithGlobals<TlsFlags>());
  const { endpoints, timeoutMs: requestTimeout } = options;
  const target = { endpoints, requestTimeout, ...(tls === undefined ? {} : { tls }) };
  return { options, target };
}
