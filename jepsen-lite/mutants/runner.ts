/** Runs simulations with each planted bug until one shows it, or the budget is used up. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Wishes } from '../simulation/configuration.ts';
import type { Mutant, Notice } from './mutant.ts';
import type { FoundBy, Kill, MutantResult, Outcome, Survival } from './outcome.ts';
import { plant, urlInBuild, type PlantedSources } from './planting.ts';
import { Soundness } from './soundness.ts';
import { testsPass, Trial, TrialOver } from './trial.ts';
import type { RunReport } from './trial-messages.ts';

export interface RunnerOptions {
  /** Time of one core that a bug gets, in ms. */
  readonly budgetMs: number;
  /** Time of one core for making a run that shows one small, in ms; 0: not at all. */
  readonly shrinkMs: number;
  /** How long faults come and go in each run, in simulated ms. */
  readonly faultsMs: number;
  readonly firstSeed: number;
  readonly onRun?: (mutant: Mutant, seeds: number) => void;
}

/** A run that takes longer hangs. */
const LONGEST_RUN_MS = 180_000;
const LONGEST_TESTS_MS = 120_000;
const SHRINK_SLOWNESS = 20;
/** A situation that is not met while the sound build meets it so often is met no more. */
const MET_BEFORE_MISSED = 5;

export class MutantRunner {
  readonly #options: RunnerOptions;
  readonly #soundness: Soundness;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#soundness = new Soundness(LONGEST_RUN_MS);
  }

  /** @throws PlantingError when the build has not what it wants to change */
  async run(mutant: Mutant): Promise<MutantResult> {
    const sources = await plant(mutant);
    const { id, breaks, file } = mutant;
    const noticedBy = mutant.noticedBy?.type ?? 'violation';
    return { id, breaks, file, noticedBy, outcome: await this.#outcomeOf(mutant, sources) };
  }

  /** To be called at the end. */
  end(): void {
    this.#soundness.end();
  }

  async #outcomeOf(mutant: Mutant, sources: PlantedSources): Promise<Outcome> {
    const { noticedBy } = mutant;
    if (noticedBy?.type === 'tests') return await this.#testing(sources, noticedBy);
    const { faultsMs } = this.#options;
    const { workload, nodes } = mutant;
    const search = new Search(mutant, sources, { workload, nodes, faultsMs }, this.#options);
    try {
      return await search.run(this.#soundness);
    } finally {
      search.end();
    }
  }

  async #testing(
    sources: PlantedSources,
    { files }: Extract<Notice, { type: 'tests' }>,
  ): Promise<Outcome> {
    const missing = files.find((file) => !existsSync(fileURLToPath(urlInBuild(file))));
    if (missing !== undefined) return { type: 'skipped', why: `${missing} is not in this build` };
    const begunAt = performance.now();
    const pass = await testsPass(sources, files, LONGEST_TESTS_MS);
    const wallMs = performance.now() - begunAt;
    const cost = { seeds: 0, simulatedMs: 0, cpuMs: wallMs, wallMs };
    if (pass) return { type: 'survived', ...cost };
    const which = files.join(', ');
    if (!(await this.#soundness.passesTests(files, LONGEST_TESTS_MS))) {
      return { type: 'skipped', why: `${which} fails without it, too` };
    }
    return { type: 'killed', check: 'tests', message: `${which} fails`, ...cost };
  }
}

/** What one bug's runs have cost so far, and the process they are made in. */
class Search {
  readonly #mutant: Mutant;
  readonly #sources: PlantedSources;
  readonly #wishes: Wishes;
  readonly #options: RunnerOptions;
  readonly #begunAt = performance.now();
  #trial: Trial | undefined;
  #seeds = 0;
  #simulatedMs = 0;
  #cpuMs = 0;
  #met = 0;
  #metBySound = 0;

  constructor(mutant: Mutant, sources: PlantedSources, wishes: Wishes, options: RunnerOptions) {
    this.#mutant = mutant;
    this.#sources = sources;
    this.#wishes = wishes;
    this.#options = options;
  }

  end(): void {
    this.#trial?.end();
    this.#trial = undefined;
  }

  async run(soundness: Soundness): Promise<Outcome> {
    for (let seed = this.#options.firstSeed; this.#cpuMs < this.#options.budgetMs; seed++) {
      const found = await this.#try(seed);
      const isKill = found !== undefined && (await soundness.passes(seed, this.#wishes));
      if (isKill) return await this.#killed(found, seed);
      const { noticedBy } = this.#mutant;
      if (noticedBy?.type !== 'situation') continue;
      this.#metBySound += (await soundness.met(seed, this.#wishes))[noticedBy.name] ?? 0;
      if (this.#met > 0) break;
      if (this.#metBySound >= MET_BEFORE_MISSED) return this.#missed(noticedBy.name);
    }
    return { type: 'survived', ...this.#cost() };
  }

  #cost(): Omit<Survival, 'type'> {
    const wallMs = performance.now() - this.#begunAt;
    return { seeds: this.#seeds, simulatedMs: this.#simulatedMs, cpuMs: this.#cpuMs, wallMs };
  }

  /** Runs a seed; tells what is wrong with it, if anything is. */
  async #try(seed: number): Promise<RunReport | TrialOver | undefined> {
    this.#seeds += 1;
    const begunAt = performance.now();
    try {
      this.#trial ??= await Trial.begin(this.#sources, this.#wishes, LONGEST_RUN_MS);
      const report = await this.#trial.run(seed, LONGEST_RUN_MS);
      this.#simulatedMs += report.simulatedMs;
      this.#cpuMs += report.cpuMs;
      this.#options.onRun?.(this.#mutant, this.#seeds);
      const { noticedBy } = this.#mutant;
      if (noticedBy?.type === 'situation') this.#met += report.sometimes[noticedBy.name] ?? 0;
      return report.violation === undefined ? undefined : report;
    } catch (error) {
      if (!(error instanceof TrialOver)) throw error;
      this.#cpuMs += performance.now() - begunAt;
      this.end();
      return error;
    }
  }

  async #killed(found: RunReport | TrialOver, seed: number): Promise<Kill> {
    const cost = this.#cost();
    if (found instanceof TrialOver || found.violation === undefined) {
      const message = found instanceof TrialOver ? found.message : '';
      return { type: 'killed', check: 'process', message, ...cost };
    }
    const { violation, workload, faults, operations } = found;
    const run: FoundBy = { seed, workload, faults, operations };
    const small = await this.#shrunk();
    const { check, message } = violation;
    return { type: 'killed', check, message, ...cost, run: { ...run, ...(small && { small }) } };
  }

  async #shrunk(): Promise<FoundBy['small'] | undefined> {
    const { shrinkMs } = this.#options;
    if (shrinkMs === 0 || this.#trial === undefined) return undefined;
    try {
      // On a busy machine the time of one core passes slowly.
      const limitMs = SHRINK_SLOWNESS * shrinkMs + LONGEST_RUN_MS;
      const report = await this.#trial.shrink(shrinkMs, limitMs);
      const { faults, operations, nodes } = report;
      return { faults, operations, nodes };
    } catch (error) {
      if (!(error instanceof TrialOver)) throw error;
      return undefined;
    }
  }

  #missed(name: string): Kill {
    const message = `${name} is never met, but ${this.#metBySound} times in the sound build`;
    return { type: 'killed', check: `sometimes ${name}`, message, ...this.#cost() };
  }
}
