// One share of one stage, and what it left behind.
import { orderedValue, type Stage, type StageFacts } from '@tutti/sql';

/** A file that a task wrote, in the session that ran it. */
export interface ExchangeFile {
  readonly sessionId: string;
  /** Unique in its session. */
  readonly name: string;
  readonly partition: number;
  readonly rows: number;
  readonly bytes: number;
}

/** What a task produced. Of a task of the final stage only rows and bytes. */
export interface TaskOutput {
  readonly rows: number;
  readonly bytes: number;
  readonly files: readonly ExchangeFile[];
  readonly ranges: StageFacts['ranges'];
}

export type StageTaskState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'running'; readonly sessionId: string; readonly attempt: number }
  | { readonly kind: 'done'; readonly sessionId: string; readonly output: TaskOutput }
  /** It was done, and its files are gone. Nothing happens until a task needs them. */
  | { readonly kind: 'lost' };

export interface StageTask {
  readonly stageId: string;
  readonly index: number;
  state: StageTaskState;
  /** How often it was started. */
  attempts: number;
  /** How often that was in a session which its worker did not take. */
  refusals: number;
}

export interface KnownStage {
  readonly stage: Stage;
  readonly tasks: readonly StageTask[];
  /** Known once each task has finished; they stay when files are lost, since these are made again as they were. */
  facts: StageFacts | undefined;
}

export const makeTasks = (stageId: string, count: number): StageTask[] =>
  Array.from({ length: count }, (_, index) => ({
    stageId,
    index,
    state: { kind: 'waiting' },
    attempts: 0,
    refusals: 0,
  }));

/** The facts of a stage whose tasks have all finished; undefined before. */
export function factsOf({ stage, tasks }: KnownStage): StageFacts | undefined {
  const outputs: TaskOutput[] = [];
  for (const { state } of tasks) {
    if (state.kind !== 'done') return undefined;
    outputs.push(state.output);
  }
  const partitions = stage.output.kind === 'partitioned' ? stage.output.partitions : 1;
  const partitionRows = Array.from({ length: partitions }, () => 0);
  for (const { partition, rows } of outputs.flatMap(({ files }) => files))
    partitionRows[partition] = (partitionRows[partition] ?? 0) + rows;
  return {
    rows: sum(outputs.map((output) => output.rows)),
    bytes: sum(outputs.map((output) => output.bytes)),
    partitionRows,
    ranges: stage.types.map(({ sql }, column) => {
      const full = outputs.filter((output) => output.rows > 0);
      return joinRanges(
        sql,
        full.map((output) => output.ranges[column]),
      );
    }),
  };
}

/** The files that task `index` of `count` reads of a stage (StageRead.share). */
export function filesFor(source: KnownStage, share: 'all' | 'partition' | 'own', index: number, count: number) {
  const files = source.tasks.flatMap(({ state }) => (state.kind === 'done' ? state.output.files : []));
  if (share === 'all') return files;
  if (share === 'partition') return files.filter(({ partition }) => partition % count === index);
  return files.filter((_, number) => number % count === index);
}

type Range = StageFacts['ranges'][number];

/** A range is known only if it is known of every task that has rows, and only where texts can be compared. */
function joinRanges(typeSql: string, ranges: readonly Range[]): Range {
  let joined: Range;
  for (const range of ranges) {
    if (range === undefined) return undefined;
    if (joined === undefined) joined = range;
    const [min, max, least, most] = [range.min, range.max, joined.min, joined.max].map((text) =>
      orderedValue(text, typeSql),
    );
    if (min === undefined || max === undefined || least === undefined || most === undefined) return undefined;
    joined = { min: min < least ? range.min : joined.min, max: max > most ? range.max : joined.max };
  }
  return joined;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
