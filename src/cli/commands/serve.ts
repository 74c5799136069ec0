/** serve: one node in this process, until it is told to stop. */
import type { Command } from 'commander';
import { HoldfastError } from '../../base/index.ts';
import type { HoldfastNode, ServerTls } from '../../index.ts';
import { EXIT, usageError } from '../exit.ts';
import { readTls, type TlsFlags } from '../context.ts';
import { examples } from '../help.ts';
import { parseSettings } from '../node-settings.ts';
import { parsePeers } from '../peers.ts';
import { createStore, parseStoreKind } from '../store-choice.ts';

interface ServeFlags extends TlsFlags {
  readonly id: string;
  readonly listen: string;
  readonly peers?: string;
  readonly join?: boolean;
  readonly store: string;
  readonly data?: string;
  readonly cluster: string;
  readonly advertise?: string;
  readonly route?: string;
  readonly set: readonly string[];
  readonly verbose?: boolean;
}

function peersOf(flags: ServeFlags): Record<string, string> {
  if (flags.join === true) {
    if (flags.peers === undefined) return {};
    throw usageError('--join and --peers exclude each other: a joining node founds nothing');
  }
  if (flags.peers === undefined) return { [flags.id]: flags.advertise ?? flags.listen };
  return parsePeers(flags.peers);
}

function stamp(): string {
  return new Date().toISOString();
}

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('run one node of a cluster in this process')
    .requiredOption('--id <id>', 'name of this node, unique in the cluster')
    .requiredOption('--listen <host:port>', 'where peers and clients reach this node')
    .option('--peers <list>', 'every founding node, this one included: a=host:port,b=host:port,...')
    .option('--join', 'wait to be added to a cluster that exists (`holdfast member add`)')
    .option('--store <kind>', 'sqlite, level or memory', 'sqlite')
    .option('--data <directory>', 'directory of this node alone; needed unless --store memory')
    .option('--cluster <name>', 'name of the cluster, the same on every node', 'holdfast')
    .option('--advertise <host:port>', 'address given to others when it is not --listen')
    .option('--route <list>', 'where this node reaches peers instead: b=host:port,c=host:port,...')
    .option('--set <name=value...>', 'settings of the node, such as electionTimeoutMs=1000', [])
    .option('--tls-ca <file>', 'authority (PEM) that must have signed every peer and client')
    .option('--tls-cert <file>', 'certificate (PEM); with it, peers and clients speak TLS')
    .option('--tls-key <file>', 'private key (PEM) of --tls-cert')
    .option('--verbose', 'log connections and other detail')
    .addHelpText(
      'after',
      `
Without --peers and --join the node is a cluster of its own. The first start of a cluster waits
until all its founding nodes have met; afterwards a majority is enough.

With --tls-cert and --tls-key the port speaks TLS only; with --tls-ca as well, whoever connects must
show a certificate of that authority. Start every node so.
${examples(
  '# in three terminals, or on three machines:',
  'P=a=127.0.0.1:7400,b=127.0.0.1:7401,c=127.0.0.1:7402',
  'holdfast serve --id a --listen 127.0.0.1:7400 --peers $P --data data/a',
  'holdfast serve --id b --listen 127.0.0.1:7401 --peers $P --data data/b',
  'holdfast serve --id c --listen 127.0.0.1:7402 --peers $P --data data/c',
)}`,
    )
    .configureHelp({ showGlobalOptions: false })
    .action(async (_flags: object, command: Command) => {
      // The program has the TLS options too and takes them first.
      const flags = command.optsWithGlobals<ServeFlags>();
      const stopRequest = listenForStop();
      try {
        const node = await Promise.race([startNode(flags), stopRequest.asked]);
        // A node that does not take part yet may wait long for its peers, and owes nobody a stop.
        if (typeof node === 'string') process.exit(EXIT.ok);
        await stopWhen(stopRequest.asked, node);
      } finally {
        stopRequest.end();
      }
    });
}

async function startNode(flags: ServeFlags): Promise<HoldfastNode> {
  const kind = parseStoreKind(flags.store);
  if (flags.data === undefined && kind !== 'memory') {
    throw usageError(`--data is needed with --store ${kind}: a directory for this node alone`);
  }
  const peers = peersOf(flags);
  const store = await createStore(kind, flags.data ?? '');
  const { Holdfast } = await import('../../index.ts');
  const node = await Holdfast.start({
    id: flags.id,
    listen: flags.listen,
    peers,
    store,
    clusterName: flags.cluster,
    ...(flags.advertise === undefined ? {} : { advertise: flags.advertise }),
    ...(flags.route === undefined ? {} : { routes: parsePeers(flags.route, '--route') }),
    settings: parseSettings(flags.set),
    ...(await serverTls(flags)),
    log: (level, line) => {
      if (level === 'debug' && flags.verbose !== true) return;
      process.stdout.write(`${stamp()} ${level} ${line}\n`);
    },
  });
  process.stdout.write(`${stamp()} info ${flags.id} serves ${flags.listen} from ${kind}\n`);
  return node;
}

/** Peers and clients alike: all of the port speaks TLS, or none of it. */
async function serverTls(flags: TlsFlags): Promise<{ tls?: ServerTls }> {
  const tls = await readTls(flags);
  if (tls === undefined) return {};
  const { ca, cert, key } = tls;
  if (cert === undefined || key === undefined) {
    throw usageError('a node with --tls-ca needs --tls-cert and --tls-key as well');
  }
  return { tls: { cert, key, ...(ca === undefined ? {} : { ca }) } };
}

interface StopRequest {
  /** Resolves to why: a signal, or the end of the process that started this one. */
  readonly asked: Promise<string>;
  /** From now on signals do again what they did before. */
  end(): void;
}

function listenForStop(): StopRequest {
  const abort = new AbortController();
  const stop = (why: string): void => abort.abort(why);
  const disconnected = (): void => stop('its parent is gone');
  const signals = ['SIGTERM', 'SIGINT'] as const;
  for (const signal of signals) process.once(signal, stop);
  if (process.connected) process.once('disconnect', disconnected);
  return {
    asked: new Promise((resolve) => {
      abort.signal.addEventListener('abort', () => resolve(String(abort.signal.reason)));
    }),
    end: () => {
      for (const signal of signals) process.off(signal, stop);
      process.off('disconnect', disconnected);
    },
  };
}

/** Stops cleanly when asked to; rejects with what made the node stop itself. */
async function stopWhen(asked: Promise<string>, node: HoldfastNode): Promise<void> {
  const why = await Promise.race([asked, node.stopped]);
  if (typeof why === 'string') {
    process.stdout.write(`${stamp()} info ${node.id} stops: ${why}\n`);
    await node.stop();
  }
  if (process.connected) process.disconnect();
  if (why instanceof HoldfastError) throw why;
}
