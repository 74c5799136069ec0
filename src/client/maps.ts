import { HoldfastError } from '../base/index.ts';
import { MAP_PREFIX, type ByteString } from '../registry/index.ts';
import { knownOptions } from './call-options.ts';
import type { CallOptions, ReadOptions, SessionRef } from './key-types.ts';
import { detailsIn, MapAccess, type MapHost } from './map-access.ts';
import { MapHandle } from './map-handle.ts';
import { encodeMapName } from './map-keys.ts';
import { MapOpening } from './map-opening.ts';
import { RawMapClient } from './map-raw.ts';
import type { InvalidMapEntry, MapDetails, RawMap } from './map-types.ts';
import { MapValues, type ValueRules } from './map-values.ts';
import { recordsUnder } from './named-records.ts';
import { abortError, sharedController, WaitEnd } from './waiting.ts';

/** The options of a map, of whatever types its values are. */
export interface AnyMapOptions extends CallOptions, Partial<ValueRules> {
  readonly persist?: boolean;
  readonly prune?: boolean;
  readonly session?: SessionRef;
  readonly onInvalid?: (entry: InvalidMapEntry) => void;
}

/** What a second opening in this process must agree with. */
interface Settings extends ValueRules {
  readonly persist: boolean;
  readonly prune: boolean;
  readonly session: SessionRef | undefined;
  readonly onInvalid: ((entry: InvalidMapEntry) => void) | undefined;
}

interface Opened {
  readonly settings: Settings;
  readonly controller: AbortController;
  readonly handle: Promise<MapHandle<unknown, unknown>>;
}

const SETTINGS = [
  'persist',
  'prune',
  'session',
  'schema',
  'validate',
  'codec',
  'onInvalid',
] as const satisfies readonly (keyof Settings)[];

/** How an opening ends for reasons of the call that began it. */
const OF_ONE_CALL: ReadonlySet<string> = new Set(['aborted', 'timeout']);

/** The maps that are open in this process through one registry. */
export class Maps {
  readonly #host: MapHost;
  readonly #opened = new Map<ByteString, Opened>();
  /** Detachings under way: were the map opened meanwhile, they could end that, too. */
  readonly #leaving = new Map<ByteString, Promise<void>>();
  #closed = false;

  constructor(host: MapHost) {
    this.#host = host;
  }

  /** `Out` and `In` are what the options' schema or codec say, which the caller sees to. */
  async open<Out, In>(name: string, options: AnyMapOptions): Promise<MapHandle<Out, In>> {
    const map = encodeMapName(name);
    const settings = settingsOf(options);
    for (;;) {
      if (this.#closed) throw new HoldfastError('closed', 'the registry is closed');
      const known = this.#opened.get(map);
      if (known !== undefined) refuseOther(name, known.settings, settings);
      if (known === undefined) {
        return (await this.#open(map, settings, options).handle) as MapHandle<Out, In>;
      }
      const found = (await this.#join(known, options)) as MapHandle<Out, In> | undefined;
      // One that was here before may have been dropped by others a moment ago.
      if (found !== undefined && (await found.isThere(callOptions(options)))) return found;
    }
  }

  /** What another call opens, or has; undefined when that call's own patience ended it. */
  async #join(
    { handle }: Opened,
    call: CallOptions,
  ): Promise<MapHandle<unknown, unknown> | undefined> {
    const joined = handle.catch((error: unknown) => {
      if (error instanceof HoldfastError && OF_ONE_CALL.has(error.code)) return undefined;
      throw error;
    });
    return await this.#within(call, joined);
  }

  raw(name: string): RawMap {
    return new RawMapClient(new MapAccess(this.#host, encodeMapName(name), 0));
  }

  async list(options: ReadOptions): Promise<readonly MapDetails[]> {
    return (await recordsUnder(this.#host, MAP_PREFIX, options)).map(detailsIn);
  }

  close(): void {
    this.#closed = true;
    const error = new HoldfastError('closed', 'the registry is closed');
    for (const { controller } of this.#opened.values()) controller.abort(error);
  }

  #open(map: ByteString, settings: Settings, options: CallOptions): Opened {
    const controller = sharedController();
    const opened = { settings, controller, handle: this.#load(map, settings, controller, options) };
    this.#opened.set(map, opened);
    const forget = (): void => {
      if (this.#opened.get(map) === opened) this.#opened.delete(map);
    };
    controller.signal.addEventListener('abort', forget, { once: true });
    opened.handle.catch((error: unknown) => {
      forget();
      controller.abort(error);
    });
    return opened;
  }

  async #load(
    map: ByteString,
    settings: Settings,
    controller: AbortController,
    call: CallOptions,
  ): Promise<MapHandle<unknown, unknown>> {
    const { persist, prune, session } = settings;
    const over = (error: HoldfastError): void => controller.abort(error);
    const { signal } = controller;
    const leaving = (left: Promise<void>): void => this.#leave(map, left);
    const wanted = { options: { persist, prune }, session, signal, over, leaving };
    await this.#within(call, this.#leaving.get(map) ?? Promise.resolve());
    const opening = await MapOpening.open(this.#host, map, wanted, callOptions(call));
    const onInvalid = settings.onInvalid ?? ((): void => undefined);
    const values = new MapValues<unknown, unknown>(settings);
    const parts = { opening, values, onInvalid, prune, session, controller };
    try {
      const handle = await MapHandle.load(parts, callOptions(call));
      if (signal.aborted) throw signal.reason as HoldfastError;
      return handle;
    } catch (error) {
      // Nobody here has it open; in doubt it is left with the session.
      opening.detach(undefined).catch(() => undefined);
      throw error;
    }
  }

  #leave(map: ByteString, left: Promise<void>): void {
    const forget = (): void => {
      if (this.#leaving.get(map) === settled) this.#leaving.delete(map);
    };
    const settled = left.then(forget, forget);
    this.#leaving.set(map, settled);
  }

  /**
   * The promise's result, unless the call's own signal or timeout ends it first. Without one, what
   * is waited for has its own end, and says better why.
   */
  async #within<T>(call: CallOptions, promise: Promise<T>): Promise<T> {
    const { environment } = this.#host.proposals;
    const { deadlineMs, signal } = this.#host.patience(callOptions(call));
    const limitMs = call.timeout === undefined ? undefined : deadlineMs - environment.now();
    const end = new WaitEnd()
      .onAbortOf(signal, () => abortError(signal!, 'opening the map'))
      .after(limitMs, environment, lateError);
    try {
      return await end.race(promise);
    } finally {
      end.dispose();
    }
  }
}

function lateError(): HoldfastError {
  return new HoldfastError('timeout', 'the map was still being opened, or detached from');
}

function callOptions({ timeout, signal }: CallOptions): CallOptions {
  return {
    ...(timeout === undefined ? {} : { timeout }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function settingsOf(options: AnyMapOptions): Settings {
  knownOptions('map', options);
  const { persist = true, prune = false, session, schema, validate, codec, onInvalid } = options;
  for (const [name, value] of Object.entries({ persist, prune })) {
    if (typeof value !== 'boolean') throw invalid(`${name} is true or false`);
  }
  if (schema !== undefined && validate !== undefined) {
    throw invalid('a map takes schema or validate, not both');
  }
  if (schema !== undefined && !('_zod' in schema)) throw invalid('schema is no schema of zod 4');
  return { persist, prune, session, schema, validate, codec, onInvalid };
}

function invalid(rule: string): HoldfastError {
  return new HoldfastError('invalid-argument', `map options: ${rule}`);
}

function refuseOther(name: string, has: Settings, wanted: Settings): void {
  for (const setting of SETTINGS) {
    if (has[setting] === wanted[setting]) continue;
    const [there, asked] = [has[setting], wanted[setting]];
    const values =
      typeof there === 'boolean' && typeof asked === 'boolean'
        ? `${setting} ${there}, not ${asked}`
        : `another ${setting}: open it once and share it`;
    throw new HoldfastError('map-conflict', `map '${name}' is open here with ${values}`);
  }
}
