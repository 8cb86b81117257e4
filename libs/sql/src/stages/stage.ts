// What a query is cut into. A stage is one SELECT that several tasks run, each on its share of the input; its rows go to
// exchange files, hash-partitioned or not, or to the client.
//   G1. The id of a stage is a function of its place in the plan: cutting again with more facts never gives one id to two
//       different SELECTs of the same facts, and a stage whose facts are known is never asked for again.
//   G2. The SQL of a stage names its inputs by placeholders only: it is complete once each task's files are filled in.
//   G3. Whatever shares a stage is divided into, all tasks together produce each row of the stage exactly once.
import type { PlanType } from '../plan/plan.js';

/** What bounds the cut. */
export interface CutSettings {
  /** Workers that take part; at least 1. */
  readonly workers: number;
  /** Most shares per worker of a divided stage: more even out stragglers and cost a statement each. */
  readonly tasksPerWorker: number;
  /** Input rows of a task from which on there are more tasks than one per worker; 0: always `tasksPerWorker`. */
  readonly taskRows: number;
  /** Tables of at most this many rows, and not of very many bytes, are read whole by every task that needs them. */
  readonly replicatedRowsMax: number;
  /** A build side of at most this many rows is read whole by every task. */
  readonly broadcastRowsMax: number;
  /** Whether build sides run first, so that their real size decides; otherwise estimates decide. */
  readonly isAdaptive: boolean;
}

/** What a finished stage produced, all tasks together. */
export interface StageFacts {
  readonly rows: number;
  readonly bytes: number;
  /** Rows by partition; one entry when it is not partitioned. */
  readonly partitionRows: readonly number[];
  /**
   * Least and greatest value by output column, as the engine casts them to VARCHAR; undefined where unknown, all NULL, or of a
   * type whose statistics are not exact (texts, floating point).
   */
  readonly ranges: readonly ({ readonly min: string; readonly max: string } | undefined)[];
}

/** A table that a stage scans. In the SQL of the stage: {{scan:N}}, a table expression with the columns c0, c1, ... */
export interface StageScan {
  readonly number: number;
  /** Full name. */
  readonly table: string;
  /** Names of the table's columns that are read, as c0, c1, ... */
  readonly columns: readonly { readonly name: string; readonly type: PlanType }[];
  /** Whether each task scans its own share of the splits, or every task all of them. */
  readonly share: 'own' | 'all';
  /** What holds for every row that matters, for pruning splits by statistics; the SELECT holds these conditions too. */
  readonly bounds: readonly ScanBound[];
  /** Set where tasks divide the rows by ranges of a column instead of by splits: range k has the values from cut k - 1 on and
   *  before cut k. In the SQL of the stage: {{range:N}}, a condition on the scan's columns of `t` (task-ranges.ts). */
  readonly ranges?: { readonly column: number; readonly type: PlanType; readonly cuts: readonly string[] } | undefined;
}

/** A condition `column comparison value` on a scan. */
export interface ScanBound {
  /** Index into the columns of the scan. */
  readonly column: number;
  readonly comparison: '=' | '<' | '<=' | '>' | '>=';
  /** As the engine casts it to VARCHAR. */
  readonly value: string;
}

/** Files of another stage that a stage reads. In the SQL: {{read:N}}, a table expression with the columns c0, c1, ... */
export interface StageRead {
  readonly number: number;
  readonly stageId: string;
  /** all: every task reads everything. partition: task k of n reads the partitions p with p % n = k. own: task k of n reads
   *  the files number f with f % n = k, each file by exactly one task. */
  readonly share: 'all' | 'partition' | 'own';
  /** Types of that stage: of a read without files there is nothing else to tell them. */
  readonly types: readonly PlanType[];
}

export interface Stage {
  readonly id: string;
  /**
   * One SELECT with the columns c0, c1, ... Placeholders: {{scan:N}}, {{range:N}}, {{read:N}} and {{once}}, a BOOLEAN that is true for task 0 only.
   * Whoever runs the final stage gives the columns the names of the query's.
   */
  readonly sql: string;
  /** Types of the columns that the SELECT gives. Of values that files would not keep (a HUGEINT), that of what is written instead. */
  readonly types: readonly PlanType[];
  readonly scans: readonly StageScan[];
  readonly reads: readonly StageRead[];
  /** Into how many shares it may be divided; 1 for a stage that is not divided. Fewer splits make fewer tasks, except where it
   *  reads partitions. */
  readonly tasks: number;
  /** How its rows are written. `keys` are SQL expressions over c0, c1, ..., cast so that equal values of both sides of a
   *  join hash equally. Undefined for the final stage. */
  readonly output:
    | { readonly kind: 'files' }
    | { readonly kind: 'partitioned'; readonly keys: readonly string[]; readonly partitions: number }
    | { readonly kind: 'result' };
  readonly estimatedRows: number;
  /** For EXPLAIN: what it does, from the bottom up, such as "scan hive.main.orders", "partial aggregate". */
  readonly operators: readonly string[];
  /** For EXPLAIN: how its rows are distributed, such as "hash (c0)", "broadcast", "single". */
  readonly distribution: string;
}

/** What is to be done next for a query. */
export type CutOutcome =
  /** Run these, tell their facts, and cut again. All of them can run now, side by side. */
  | { readonly kind: 'stages'; readonly stages: readonly Stage[] }
  /** Everything else is there: this one gives the rows. */
  | { readonly kind: 'final'; readonly stage: Stage }
  /** It is not worth it, or not understood: run the statement whole on one worker. */
  | { readonly kind: 'whole'; readonly reason: string };
