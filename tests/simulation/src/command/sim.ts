import { planOf, type ScenarioName, type Sizes } from '../plans/scenarios.js';
import type { Mode } from '../world/planned.js';
import { runPlan } from '../world/run-plan.js';
import { addSums, type Failure, noSums, promises, type Row, rowOf, type Sums, tableOf } from './figures.js';
import { parseOptions, type SimOptions, USAGE } from './options.js';
import type { SeedPool } from './seed-pool.js';
import { scheduleText, shrink } from './shrink.js';

export interface SimIo {
  readonly cores: number;
  readonly pool: (jobs: number) => SeedPool;
  readonly print: (text: string) => void;
  /** For what is not the result. */
  readonly say: (text: string) => void;
  readonly nowMs: () => number;
}

const CHUNK_SEEDS = 5;
const TRACE_LINES = 100_000;
const SHRINK_RUNS = 600;
const SHRINK_MS = 90_000;

/** `npm run sim`: the exit code. */
export async function sim(argv: readonly string[], io: SimIo): Promise<number> {
  const parsed = parseOptions(argv, io.cores);
  if (parsed.kind === 'help') {
    io.print(USAGE);
    return 0;
  }
  if (parsed.kind === 'wrong') {
    io.say(`${parsed.problems.map((problem) => `${problem}\n`).join('')}npm run sim -- --help tells all options`);
    return 2;
  }
  const { options } = parsed;
  return options.trace ? traceOne(options, io) : runAll(options, io);
}

async function runAll(options: SimOptions, io: SimIo): Promise<number> {
  const { modes, scenarios, seeds, json } = options;
  const pool = io.pool(Math.min(options.jobs, Math.ceil((seeds * modes.length * scenarios.length) / CHUNK_SEEDS)));
  const startedMs = io.nowMs();
  const pairs = modes.flatMap((mode) => scenarios.map((scenario) => ({ mode, scenario })));
  const results = await Promise.all(
    pairs.map(async ({ mode, scenario }) => ({
      mode,
      scenario,
      sums: await runScenario(options, mode, scenario, pool),
    })),
  );
  await pool.close();
  const rows: Row[] = results.map(({ mode, scenario, sums }) => rowOf(mode, scenario, sums));
  io.print(json ? JSON.stringify({ scenarios: rows }) : tableOf(rows));
  const virtualMs = results.reduce((sum, { sums }) => sum + sums.virtualMs, 0);
  const runs = results.reduce((sum, { sums }) => sum + sums.seeds, 0);
  const wallMs = io.nowMs() - startedMs;
  io.say(`${runs} runs, ${Math.round(virtualMs / 1_000)} virtual seconds, in ${(wallMs / 1_000).toFixed(1)} s`);
  const failed = results.filter(({ sums }) => sums.failures.length > 0);
  for (const { mode, scenario, sums } of failed) tellFailures(options, mode, scenario, sums.failures, io);
  return failed.length === 0 ? 0 : 1;
}

async function runScenario(options: SimOptions, mode: Mode, scenario: ScenarioName, pool: SeedPool): Promise<Sums> {
  const sizes = sizesOf(options, mode);
  const chunks: Promise<Sums>[] = [];
  const end = options.firstSeed + options.seeds;
  for (let firstSeed = options.firstSeed; firstSeed < end; firstSeed += CHUNK_SEEDS)
    chunks.push(pool.run({ scenario, sizes, firstSeed, seeds: Math.min(CHUNK_SEEDS, end - firstSeed) }));
  const sums = noSums();
  for (const chunk of chunks) addSums(sums, await chunk);
  return sums;
}

function tellFailures(
  options: SimOptions,
  mode: Mode,
  scenario: ScenarioName,
  failures: readonly Failure[],
  io: SimIo,
): void {
  const [first] = failures;
  if (first === undefined) return;
  const seeds = failures.map(({ seed }) => seed);
  const shown = seeds.slice(0, 10).join(', ') + (seeds.length > 10 ? ', ...' : '');
  io.say(`\n${scenario} (${mode}) failed with seed ${shown}`);
  io.say(first.texts.slice(0, 3).join('\n'));
  const sizes = sizesOf(options, mode);
  const shrunk = shrinkSeed(scenario, first.seed, sizes, first.texts, io);
  if (shrunk !== undefined) {
    io.say(`\nshrunk in ${shrunk.runs} runs to: ${shrunk.text}\n${scheduleText(shrunk.plan)}`);
  }
  io.say(
    `\nreplay: npm run sim -- ${argumentsOf(sizes)} --scenario ${scenario} --seed ${first.seed} --trace [--shrink]`,
  );
}

function shrinkSeed(scenario: ScenarioName, seed: number, sizes: Sizes, texts: readonly string[], io: SimIo) {
  const until = io.nowMs() + SHRINK_MS;
  const rules = [...new Set(texts.map((text) => text.slice(0, 2)))].slice(0, 1);
  return shrink(planOf(scenario, seed, sizes), rules, { runs: SHRINK_RUNS, isOver: () => io.nowMs() > until });
}

function traceOne(options: SimOptions, io: SimIo): number {
  const [mode] = options.modes;
  const [scenario] = options.scenarios;
  if (mode === undefined || scenario === undefined) return 2;
  let plan = planOf(scenario, options.firstSeed, sizesOf(options, mode));
  if (options.shrink) {
    const { violations } = runPlan(plan);
    const texts = violations.map(({ rule }) => rule);
    const shrunk = shrinkSeed(scenario, options.firstSeed, sizesOf(options, mode), texts, io);
    if (shrunk === undefined) io.say('nothing is violated in this run: it is told as it is');
    else {
      plan = shrunk.plan;
      io.say(scheduleText(plan));
    }
  }
  const outcome = runPlan(plan, { traceLines: TRACE_LINES, stopsAtViolation: options.shrink });
  io.print(outcome.trace.join('\n'));
  io.print(`${outcome.starts} starts, ${outcome.lost} lost, peak ${outcome.peakOverLimit.toFixed(3)} of a limit`);
  for (const { rule, atMs, text } of outcome.violations) io.print(`${rule} at ${(atMs / 1_000).toFixed(3)} s: ${text}`);
  const broken = outcome.violations.filter(({ rule }) => promises(mode, rule));
  if (broken.length < outcome.violations.length) io.say(`${mode} does not promise A1: that is a figure, no failure`);
  return broken.length === 0 ? 0 : 1;
}

const sizesOf = ({ coordinators, resourceManagers, limit, queryMs }: SimOptions, mode: Mode): Sizes => ({
  ...{ mode, coordinators, resourceManagers, limit, queryMs },
});

const argumentsOf = ({ mode, coordinators, resourceManagers, limit, queryMs }: Sizes): string =>
  `--mode ${mode} --coordinators ${coordinators} --resource-managers ${resourceManagers} --limit ${limit} --query-ms ${queryMs}`;
