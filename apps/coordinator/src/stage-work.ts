// What the fragments of one distributed query are: cut from its plan, each with its share of the splits and files.
import {
  boundsOfTask,
  type CutOutcome,
  divideSplits,
  isWithin,
  joinSplits,
  pruneSplits,
  type Split,
  type Stage,
  type StageFacts,
  taskSql,
  tasksForRows,
} from '@tutti/sql';
import { encodeStageTask, type ResultFormat } from '@tutti/engine';
import type { QueryFailure } from './core/query.js';
import type { DistributedPlan } from './core/query-work.js';
import type { ScheduleEffect, TaskAttempt } from './core/stage-schedule.js';
import type { DistributionSettings } from './core/stage-settings.js';
import type { ExchangeFile, KnownStage } from './core/stage-task.js';
import { PlanCuts } from './plan-cuts.js';
import { OUTPUT_CONTENT_BYTES_MAX, type SmallFiles } from './core/small-files.js';
import type { InputFile, MissingFile, NewFragment } from './fragment-client.js';

type RunEffect = Extract<ScheduleEffect, { kind: 'run' }>;

export interface StageWorkOptions {
  readonly plan: DistributedPlan;
  readonly settings: DistributionSettings;
  readonly workers: number;
  readonly format: ResultFormat;
  readonly exchangeKey: string;
}

export class StageWork {
  private readonly cuts;
  private readonly cutSettings;
  /** Shares of splits, by stage and number of the scan. */
  private readonly shares = new Map<string, readonly (readonly Split[])[]>();

  constructor(readonly options: StageWorkOptions) {
    this.cuts = PlanCuts.of(options.plan);
    this.cutSettings = { ...options.settings, workers: options.workers };
  }

  cut(facts: ReadonlyMap<string, StageFacts>): CutOutcome {
    return this.cuts.next(facts, this.cutSettings);
  }

  /**
   * Into how many tasks a stage is divided: as the rows that are left of its scans want it, unless each task has partitions of
   * its own. A Parquet file has one writer: files of several tasks one after another would read as the last of them.
   */
  taskCount(stage: Stage): number {
    if (stage.output.kind === 'result' && this.options.format === 'parquet') return 1;
    if (stage.tasks === 1 || stage.reads.some(({ share }) => share !== 'all')) return stage.tasks;
    const scans = stage.scans.filter(({ share }) => share === 'own').map((scan) => this.cuts.splitsOf(scan));
    const rows = scans.flat().reduce((sum, split) => sum + split.rows, 0);
    const { settings, workers } = this.options;
    const most = Math.max(1, ...scans.map((splits) => splits.length));
    return Math.min(stage.tasks, most, tasksForRows(rows, { ...settings, workers }));
  }

  /** How many splits each task of a stage reads, of those that its tasks divide among them. */
  splitCounts({ stage, tasks }: KnownStage): readonly number[] {
    const own = stage.scans.filter(({ share }) => share === 'own');
    const shares = own.map((scan) => this.sharesOf(stage, scan, tasks.length));
    return tasks.map(({ index }) => shares.reduce((sum, share) => sum + (share[index]?.length ?? 0), 0));
  }

  /** What a worker is asked to run. `small` brings along what would else be fetched. */
  fragment(effect: RunEffect, edgeAddressOf: (sessionId: string) => string, small: SmallFiles): NewFragment {
    const { stage, index, tasks, attempt, sessionId } = effect;
    const { plan, settings, format, exchangeKey } = this.options;
    const scans = stage.scans.map((scan) => {
      const splits = scan.share === 'all' ? this.cuts.splitsOf(scan) : (this.sharesOf(stage, scan, tasks)[index] ?? []);
      const table = this.cuts.tables.get(scan.table);
      return { number: scan.number, table, splits: joinSplits(splits) };
    });
    const { columnNames } = plan;
    const compression = settings.exchangeCompression;
    const contentOf = small.forSession(sessionId);
    const toInput = (file: ExchangeFile): InputFile => ({
      ...file,
      taskId: file.sessionId,
      edgeAddress: edgeAddressOf(file.sessionId),
      key: exchangeKey,
      content: contentOf(file),
    });
    return {
      taskId: sessionId,
      fragmentId: `${stage.id}.${index}.${attempt}`,
      fragment: encodeStageTask({
        stage: { ...stage, sql: this.taskSql(effect) },
        index,
        scans,
        format,
        compression,
        columnNames,
      }),
      inputs: effect.inputs.map(({ number, files }) => ({ number, files: files.map(toInput) })),
      contentBytesMax: stage.output.kind === 'result' ? 0 : OUTPUT_CONTENT_BYTES_MAX,
    };
  }

  /** The file that a fragment could not get, as the schedule knows it. */
  missingFiles(missing: MissingFile | undefined, { inputs }: RunEffect): readonly ExchangeFile[] {
    if (missing === undefined) return [];
    const files = inputs.flatMap((input) => input.files);
    return files.filter(({ sessionId, name }) => sessionId === missing.taskId && name === missing.name);
  }

  private sharesOf(stage: Stage, scan: Stage['scans'][number], tasks: number): readonly (readonly Split[])[] {
    const key = `${stage.id} ${scan.number}`;
    const known = this.shares.get(key) ?? this.divided(scan, tasks);
    this.shares.set(key, known);
    return known;
  }

  private taskSql({ stage, index, tasks }: RunEffect): string {
    return taskSql(stage, index, tasks, (scan, bounds) =>
      isWithin(pruneSplits(this.cuts.splitsOf(scan), scan.columns, bounds), scan, bounds),
    );
  }

  /** Of a scan that is divided by ranges a split is read by each task that may find rows in it. */
  private divided(scan: Stage['scans'][number], tasks: number): readonly (readonly Split[])[] {
    const splits = this.cuts.splitsOf(scan);
    if (scan.ranges === undefined) return divideSplits(splits, tasks);
    return Array.from({ length: tasks }, (_, index) => {
      const bounds = boundsOfTask(scan, index, tasks);
      return bounds === undefined ? [] : pruneSplits(splits, scan.columns, bounds);
    });
  }
}

/** Says in which stage and where a fragment failed. */
export function failedIn(why: QueryFailure, { stageId, index }: TaskAttempt, workerId: string): QueryFailure {
  return {
    ...why,
    line: 0,
    column: 0,
    message: `${why.message} (stage ${stageId}, task ${index}, worker ${workerId})`,
  };
}
