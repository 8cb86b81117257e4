// What EXPLAIN ANALYZE says of a query that has run: its stages with their tasks, or the figures of its one task. Pure.
import { formatDuration, formatSize } from '@tutti/base';
import { stageLines, type TableSize } from '@tutti/sql';
import type { QueryUse } from './core/query.js';
import type { StageProgress, StageStats, TaskFigures } from './core/stage-stats.js';
import type { KnownStage } from './core/stage-task.js';

export interface AnalyzedQuery {
  /** From its admission to its last row. */
  readonly elapsedMs: number;
  /** What it waited for its resource group before. */
  readonly queuedMs: number;
  readonly use: QueryUse;
  readonly run: AnalyzedRun;
}

/** How it ran. */
export type AnalyzedRun =
  | {
      readonly kind: 'stages';
      /** In the order in which they were cut. */
      readonly stages: readonly KnownStage[];
      readonly progress: StageProgress;
      readonly stats: Pick<StageStats, 'of'>;
      readonly tables: ReadonlyMap<string, TableSize>;
    }
  | { readonly kind: 'whole'; readonly reason: string };

/** Tasks of one stage that are listed; of more only the sums are told. */
const TASKS_LISTED_MAX = 100;

/** The lines of EXPLAIN ANALYZE, the last stage first. */
export function analysisLines({ elapsedMs, queuedMs, use, run }: AnalyzedQuery): readonly string[] {
  const waited = queuedMs > 0 ? ` after ${formatDuration(queuedMs)} in the queue` : '';
  // Those of a short query may be over before anybody has asked for them: its tasks have told them with their ends.
  const ended = run.kind === 'stages' ? run.stages.flatMap(({ stage }) => run.stats.of(stage.id)) : [];
  const totals = [
    `Took ${formatDuration(elapsedMs)}${waited}`,
    `${count(use.rows, 'row')} of result (${formatSize(use.resultBytes)}), thrown away`,
    `CPU ${formatDuration(Math.max(use.cpuMs, sum(ended, 'cpuMs')))}`,
    `peak memory ${formatSize(Math.max(use.peakMemoryBytes, ...ended.map(({ peakMemoryBytes }) => peakMemoryBytes)))}`,
    `spilled ${formatSize(Math.max(use.spilledBytes, sum(ended, 'spilledBytes')))}`,
  ].join(', ');
  const workers = use.workerIds.join(' ');
  if (run.kind === 'whole') return [`Ran whole on one worker, ${workers}: ${run.reason}`, totals];
  const { stages, progress, stats, tables } = run;
  return [
    `Ran in ${count(progress.stages, 'stage')} and ${count(progress.tasks, 'task')}${again(progress.retries)} on ${workers}`,
    totals,
    `Read ${count(progress.splits, 'split')}, exchanged ${count(progress.exchangedRows, 'row')} (${formatSize(progress.exchangedBytes)})`,
    ...[...stages].reverse().flatMap((known) => ['', ...analyzedStage(known, stats.of(known.stage.id), tables)]),
  ];
}

function analyzedStage(
  { stage, tasks }: KnownStage,
  figures: readonly TaskFigures[],
  tables: ReadonlyMap<string, TableSize>,
): readonly string[] {
  const listed = [...figures].sort((a, b) => a.index - b.index).slice(0, TASKS_LISTED_MAX);
  const more = figures.length - listed.length;
  return [
    ...stageLines({ ...stage, tasks: tasks.length }, tables),
    `    Rows: ${sum(figures, 'rows')} (about ${stage.estimatedRows} expected), ${formatSize(sum(figures, 'bytes'))}`,
    ...(figures.length > 0 ? [`    Time: ${timeText(figures)}`, `    Use: ${useText(figures)}`] : []),
    ...listed.map(taskLine),
    ...(more > 0 ? [`    and ${count(more, 'task')} more`] : []),
  ];
}

/** How long the tasks of a stage ran, and how unevenly; they had their inputs by then. */
function timeText(figures: readonly TaskFigures[]): string {
  const times = figures.map(({ elapsedMs }) => elapsedMs);
  const slowest = figures.reduce((a, b) => (b.elapsedMs > a.elapsedMs ? b : a));
  const middle = medianOf(times);
  const skew = skewOf(times);
  return [
    `median ${formatDuration(middle)}`,
    `most ${formatDuration(slowest.elapsedMs)} (task ${slowest.index})`,
    ...(skew === undefined ? [] : [`skew ${skew.toFixed(1)}`]),
  ].join(', ');
}

/** How many times longer the slowest task took than the one in the middle; undefined where that says nothing. */
export function skewOf(times: readonly number[]): number | undefined {
  const middle = medianOf(times);
  return times.length < 2 || middle <= 0 ? undefined : Math.max(...times) / middle;
}

function medianOf(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] ?? 0;
  return Number.isInteger(half) ? ((sorted[half - 1] ?? upper) + upper) / 2 : upper;
}

const useText = (figures: readonly TaskFigures[]): string =>
  [
    `CPU ${formatDuration(sum(figures, 'cpuMs'))}`,
    `longest wait for input ${formatDuration(Math.max(...figures.map(({ inputWaitMs }) => inputWaitMs)))}`,
    `peak memory of a task ${formatSize(Math.max(...figures.map(({ peakMemoryBytes }) => peakMemoryBytes)))}`,
    `spilled ${formatSize(sum(figures, 'spilledBytes'))}`,
    `fetched ${formatSize(sum(figures, 'fetchedBytes'))}`,
  ].join(', ');

const taskLine = (task: TaskFigures): string =>
  `    Task ${task.index}: ${[
    count(task.rows, 'row'),
    formatSize(task.bytes),
    `ran ${formatDuration(task.elapsedMs)} after a wait for input of ${formatDuration(task.inputWaitMs)}`,
    `CPU ${formatDuration(task.cpuMs)}`,
    `peak memory ${formatSize(task.peakMemoryBytes)}`,
    `spilled ${formatSize(task.spilledBytes)}`,
    `fetched ${formatSize(task.fetchedBytes)}`,
    `worker ${task.workerId}`,
    ...(task.attempt > 1 ? [`attempt ${task.attempt}`] : []),
  ].join(', ')}`;

type Figure = 'rows' | 'bytes' | 'cpuMs' | 'spilledBytes' | 'fetchedBytes';

const sum = (figures: readonly TaskFigures[], figure: Figure): number =>
  figures.reduce((total, task) => total + task[figure], 0);

const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? '' : 's'}`;
const again = (retries: number): string => (retries === 0 ? '' : ` (${retries} started again)`);
