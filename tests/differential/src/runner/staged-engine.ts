// Runs a planned statement in stages as a coordinator does, with its own schedule and fragments, but all tasks one after the
// other on one database. Sessions are directories.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '@duckdb/node-api';
import {
  type ScheduleEffect,
  type ScheduleEvent,
  SmallFiles,
  StageSchedule,
  StageWork,
} from '@tutti/coordinator-app/testing';
import { LocalTasks } from '@tutti/engine/testing';
import { type Configuration } from './configurations.js';
import type { PlannedStatement } from './planning.js';
import type { Rows } from './compare-rows.js';
import { isBroken } from './whole-engine.js';

export type StagedAnswer =
  | { readonly kind: 'rows'; readonly rows: Rows; readonly types: readonly string[]; readonly stages: number }
  | { readonly kind: 'whole'; readonly reason: string }
  | { readonly kind: 'failed'; readonly message: string };

/** Changes the SQL of stages: what would be seen if they were cut wrongly. */
export type Tamper = (sql: string) => string;

type RunEffect = Extract<ScheduleEffect, { kind: 'run' }>;

export class StagedEngine {
  private constructor(
    private tasks: LocalTasks,
    private readonly directory: string,
    private readonly tamper: Tamper,
  ) {}

  /** Exchange files go below `directory`. */
  static async open(directory: string, tamper: Tamper = (sql) => sql): Promise<StagedEngine> {
    return new StagedEngine(await LocalTasks.open(), directory, tamper);
  }

  /** What would be run first, as text: configurations for which it is the whole run need not all be tried. */
  firstCut(plan: PlannedStatement, configuration: Configuration): string {
    const outcome = workOf(plan, configuration).cut(new Map());
    return outcome.kind === 'stages' ? configuration.name : JSON.stringify(outcome);
  }

  async run(plan: PlannedStatement, configuration: Configuration): Promise<StagedAnswer> {
    const directory = mkdtempSync(join(this.directory, 'exchange-'));
    const { workers } = configuration.settings;
    const run = new StagedRun(this.tasks, workOf(plan, configuration), { workers, directory, tamper: this.tamper });
    try {
      return await run.run();
    } catch (error) {
      const { message } = error as Error;
      if (isBroken(message)) {
        this.tasks.close();
        this.tasks = await LocalTasks.open();
      }
      return { kind: 'failed', message };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  close(): void {
    this.tasks.close();
  }
}

const workOf = (plan: PlannedStatement, { settings }: Configuration): StageWork =>
  new StageWork({
    plan,
    settings: { ...settings, distribution: 'forced', exchangeCompression: 'none' },
    workers: settings.workers,
    format: 'rows',
    exchangeKey: '',
  });

class StagedRun {
  private readonly schedule = new StageSchedule({ sessionTasksMax: 1, attemptsMax: 1 });
  private readonly small = new SmallFiles();
  private readonly open: RunEffect[] = [];
  /** Rows of the final stage, by task. */
  private readonly rows: Rows[] = [];
  private types: readonly string[] = [];
  private whole: string | undefined;

  constructor(
    private readonly tasks: LocalTasks,
    private readonly work: StageWork,
    private readonly options: { readonly workers: number; readonly directory: string; readonly tamper: Tamper },
  ) {}

  async run(): Promise<StagedAnswer> {
    for (let worker = 0; worker < this.options.workers; worker++)
      this.apply({ kind: 'sessionOpened', sessionId: `w${worker}` });
    this.cut();
    for (let task = this.open.shift(); task !== undefined; task = this.open.shift()) {
      await this.runTask(task);
      if (this.whole !== undefined) break;
    }
    if (this.whole !== undefined) return { kind: 'whole', reason: this.whole };
    const stages = this.schedule.known();
    if (!stages.some(({ stage }) => stage.output.kind === 'result')) throw new Error('the stages came to no end');
    return { kind: 'rows', rows: this.rows.flat(), types: this.types, stages: stages.length };
  }

  private apply(event: ScheduleEvent): void {
    for (const effect of this.schedule.apply(event)) {
      if (effect.kind === 'run') this.open.push(effect);
      else if (effect.kind === 'cut') this.cut();
      else if (effect.kind !== 'done') throw new Error(`nothing fails here: ${JSON.stringify(effect)}`);
    }
  }

  private cut(): void {
    const outcome = this.work.cut(this.schedule.facts());
    if (outcome.kind === 'whole') {
      if (this.schedule.known().length > 0) throw new Error(`cut after stages have run: ${outcome.reason}`);
      this.whole = outcome.reason;
      return;
    }
    const stages = outcome.kind === 'final' ? [outcome.stage] : outcome.stages;
    this.apply({ kind: 'stagesCut', stages: stages.map((stage) => ({ stage, tasks: this.work.taskCount(stage) })) });
  }

  private tampered(effect: RunEffect): RunEffect {
    const { stage } = effect;
    return { ...effect, stage: { ...stage, sql: this.options.tamper(stage.sql) } };
  }

  private async runTask(effect: RunEffect): Promise<void> {
    const { stageId, index, attempt, sessionId } = effect;
    const { fragment, fragmentId, inputs } = this.work.fragment(this.tampered(effect), () => '', this.small);
    const outputDirectory = join(this.options.directory, sessionId, fragmentId);
    mkdirSync(outputDirectory, { recursive: true });
    const made = await this.tasks.run(fragment, {
      inputs: inputs.map(({ number, files }) => ({
        number,
        files: files.map((file) => join(this.options.directory, file.taskId, file.name)),
      })),
      outputDirectory,
    });
    let output = { rows: 0, bytes: 0, files: [] as OutputFiles, ranges: [] as StageRanges };
    if (made.kind === 'rows') {
      this.rows[index] = made.rows as readonly (readonly Json[])[];
      this.types = made.types;
      output = { ...output, rows: made.rows.length };
    } else {
      const files = made.files.map((file) => ({ ...file, sessionId, name: `${fragmentId}/${file.name}` }));
      output = { ...made, files, ranges: [...made.ranges] };
    }
    this.apply({ kind: 'finished', stageId, index, attempt, output });
  }
}

type FinishedOutput = Extract<ScheduleEvent, { kind: 'finished' }>['output'];
type OutputFiles = FinishedOutput['files'][number][];
type StageRanges = FinishedOutput['ranges'][number][];
