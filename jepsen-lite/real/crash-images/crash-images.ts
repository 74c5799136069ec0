/** Builds images of a store's disk after crashes, and opens each with the real store (tier B). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createStore } from '../../../src/cli/store-choice.ts';
import { crashScript, type Script } from '../../../src/log-store/conformance/crash-script.ts';
import { assertModel } from '../../../src/log-store/conformance/model.ts';
import type { LogStore } from '../../../src/log-store/index.ts';
import { Dice, randomFor } from '../../simulation/random.ts';
import { imageAt, LOSSES, type CrashImage, type Loss } from './image.ts';
import { record, type Recording } from './record.ts';
import { findRecorder, type Recorder, type RecorderKind } from './recorder.ts';
import { loadStores, type StoreKind, type StoreSafety } from './stores.ts';

/** Long enough for SQLite to copy its log back, and for LevelDB to change its log. */
const OPERATIONS = 150;
const IMAGES_PER_RECORDING = 125;

export interface CrashImagesOptions {
  readonly store: StoreKind;
  readonly images: number;
  readonly seed?: number;
  /** `unsafe`, for a control: acknowledged before it is synced, which has to be found. */
  readonly safety?: StoreSafety;
  /** Whoever works here, by default: strace first. */
  readonly recorder?: RecorderKind;
  /** Stop at the first image that is not recovered. */
  readonly untilFailure?: boolean;
  readonly onProgress?: (images: number) => void;
  readonly signal?: AbortSignal;
}

export interface CrashFailure {
  readonly seed: number;
  /** The crash came after so many steps. */
  readonly step: number;
  readonly loss: Loss;
  readonly message: string;
}

export interface CrashImagesResult {
  readonly store: StoreKind;
  readonly recorder: RecorderKind;
  readonly images: number;
  /** Images by what became of unsynced changes. */
  readonly losses: Readonly<Record<Loss, number>>;
  readonly failures: readonly CrashFailure[];
}

/**
 * Every image has to open, and to hold all that was acknowledged.
 *
 * @throws Error where nothing can record what a store does
 */
export async function crashImages(options: CrashImagesOptions): Promise<CrashImagesResult> {
  const home = await mkdtemp(join(tmpdir(), 'holdfast-crash-'));
  try {
    // A driver that is not installed is found out first.
    await createStore(options.store, join(home, 'driver'));
    const recorder = findRecorder(home, options.recorder);
    return await new CrashImages(options, home, recorder).run();
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

class CrashImages {
  readonly #options: CrashImagesOptions;
  readonly #home: string;
  readonly #recorder: Recorder;
  readonly #failures: CrashFailure[] = [];
  readonly #losses = { kept: 0, dropped: 0, torn: 0, reordered: 0 };
  #images = 0;

  constructor(options: CrashImagesOptions, home: string, recorder: Recorder) {
    this.#options = options;
    this.#home = home;
    this.#recorder = recorder;
  }

  async run(): Promise<CrashImagesResult> {
    const { store, images: wanted, seed = 1 } = this.#options;
    for (let round = 0; this.#images < wanted && !this.#isOver(); round++) {
      await this.#recording(seed + round);
    }
    const recorder = this.#recorder.kind;
    const images = this.#images;
    return { store, recorder, images, losses: this.#losses, failures: this.#failures };
  }

  #isOver(): boolean {
    const { signal, untilFailure = false } = this.#options;
    return signal?.aborted === true || (untilFailure && this.#failures.length > 0);
  }

  async #recording(seed: number): Promise<void> {
    const { store: kind, safety = 'safe', images, onProgress } = this.#options;
    const home = join(this.#home, String(seed));
    const recorder = this.#recorder;
    const work = { recorder, kind, safety, seed, operations: OPERATIONS, home };
    const recording = await record(work);
    const script = crashScript(seed, OPERATIONS);
    const create = await loadStores(kind);
    const dice = new Dice(randomFor(seed, 'crashes'));
    for (let i = 0; i < IMAGES_PER_RECORDING; i++) {
      if (this.#images >= images || this.#isOver()) break;
      const loss = LOSSES[i % LOSSES.length]!;
      const step = crashPoint(recording, dice);
      const image = imageAt(recording.steps, step, loss, dice);
      const directory = join(home, `image-${i}`);
      lay(image, recording.directory, directory);
      const message = await complaintOf(create(directory, 'safe'), image, script);
      if (message !== undefined) this.#failures.push({ seed, step, loss, message });
      this.#images += 1;
      this.#losses[loss] += 1;
      onProgress?.(this.#images);
      await rm(directory, { recursive: true, force: true });
    }
    await rm(home, { recursive: true, force: true });
  }
}

/** Every other crash comes right after an acknowledgement, which has to count by then. */
function crashPoint({ steps }: Recording, dice: Dice): number {
  const at = 1 + dice.below(steps.length);
  if (dice.chance(0.5)) return at;
  const next = steps.findIndex((step, i) => {
    return i >= at && step.type === 'progress' && step.done === step.begun;
  });
  return next < 0 ? steps.length : next + 1;
}

function lay(image: CrashImage, from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const [path, contents] of image.files) {
    const place = join(to, relative(from, path));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, contents);
  }
}

/** What is wrong with what the store makes of the image. */
async function complaintOf(
  store: LogStore,
  { begun, done }: CrashImage,
  script: Script,
): Promise<string | undefined> {
  try {
    await store.open({ newStoreId: 'image' });
  } catch (error) {
    return `${done} operations acknowledged, but it does not open: ${text(error)}`;
  }
  try {
    for (let held = begun; held >= done; held--) {
      if (await holds(store, script, held)) return undefined;
    }
    const last = store.lastIndex();
    const known = `${done} operations acknowledged, ${begun} begun`;
    return `${known}, but it holds what none of them left, up to index ${last}`;
  } catch (error) {
    return `${done} operations acknowledged, but it cannot be read: ${text(error)}`;
  } finally {
    await store.close();
  }
}

async function holds(store: LogStore, script: Script, operations: number): Promise<boolean> {
  try {
    await assertModel(store, script.states[operations]!);
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'AssertionError') return false;
    throw error;
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
