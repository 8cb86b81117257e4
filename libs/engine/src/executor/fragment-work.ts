// One fragment inside the executor of its session.
//   F1. It reads files that were the same before and after it, or fails.
//   F2. The columns of its rows have the types that the stage was planned with, or it fails before it has written any.
//   F3. When run() has settled, the connection is fit for the next fragment.
import type { DuckDBPreparedStatement } from '@duckdb/node-api';
import { checkedSelect, isTypesDiffer } from '../duckdb/checked-select.js';
import { typeName } from '../duckdb/column-type-name.js';
import { copyToFiles, type FileOutput, readCopied } from '../duckdb/copy-files.js';
import { fillIn } from '../duckdb/copy-inputs.js';
import { readDuckdbError } from '../duckdb/duckdb-error.js';
import { FEW_ROWS } from '../duckdb/likely-few.js';
import { stageError } from '../duckdb/stage-failure.js';
import { type Column, type FragmentOutcome, TaskError } from '../engine.js';
import { decodeStageTask, type StageTaskFragment } from '../stage-fragment.js';
import { changedFile } from './changed-file.js';
import type { ExecutorDatabase } from './executor-database.js';
import { fetchFew, isOfText } from './few-rows.js';
import { Interruption } from './interruption.js';
import { MemorySampler } from './memory-sampler.js';
import { otherColumns } from './other-columns.js';
import type { Allotment, Failure, FromExecutor, ToExecutor } from './protocol.js';
import { EngineError, ResultRun } from './result-run.js';
import { canceled, RowSender } from './row-sender.js';

type FragmentMessage = Extract<ToExecutor, { kind: 'fragment' }>;
type Made = Pick<FragmentOutcome, 'rows' | 'bytes' | 'files' | 'ranges'>;

/** How a fragment ended. */
export type FragmentEnd =
  { readonly outcome: FragmentOutcome; readonly isResult: boolean } | { readonly failure: Failure };

export class FragmentWork {
  private isRunning = false;
  private canceled = false;
  private readonly sender: RowSender;
  private readonly interruption: Interruption;
  private peakMemoryBytes = 0;
  private spilledBytes = 0;

  constructor(
    private readonly database: ExecutorDatabase,
    private readonly session: Allotment & { readonly exchangeDirectory: string },
    private readonly message: FragmentMessage,
    private readonly send: (message: FromExecutor) => void,
  ) {
    this.sender = new RowSender(send);
    this.interruption = new Interruption(database.connection);
  }

  addCredit(): void {
    this.sender.addCredit();
  }

  cancel(): void {
    this.canceled = true;
    this.database.isSpoiled = true;
    this.database.holdsMuch = true;
    if (this.isRunning) this.interruption.start();
    this.sender.cancel();
  }

  /** Never rejects. */
  async run(): Promise<FragmentEnd> {
    this.isRunning = true;
    const startedMs = performance.now();
    const cpuBefore = process.cpuUsage();
    const sampler = new MemorySampler(this.database.sampling, this.session.memoryLimitBytes, (sample) => {
      this.database.sampled(sample);
      this.peakMemoryBytes = Math.max(this.peakMemoryBytes, sample.memoryBytes);
      this.spilledBytes = Math.max(this.spilledBytes, sample.spilledBytes);
      this.send({ kind: 'memory', ...sample });
    });
    sampler.start();
    const end = await this.execute().then(
      (made) => ({ made }),
      (error: unknown) => ({ failure: this.failureOf(error) }),
    );
    this.interruption.stop();
    await sampler.stop();
    const { user, system } = process.cpuUsage(cpuBefore);
    const cpuMs = (user + system) / 1000;
    if ('failure' in end) {
      this.database.isSpoiled = true;
      return { failure: { ...end.failure, cpuMs } };
    }
    const { peakMemoryBytes, spilledBytes } = this;
    const { isResult, ...made } = end.made;
    const elapsedMs = performance.now() - startedMs;
    return { isResult, outcome: { ...made, elapsedMs, cpuMs, peakMemoryBytes, spilledBytes } };
  }

  private async execute(): Promise<Made & { readonly isResult: boolean }> {
    const task = this.task();
    const sql = fillIn(task, this.message.inputs);
    this.checkFiles(task);
    await this.database.checkStatement(sql);
    this.sender.throwIfCanceled();
    const made =
      (await this.produceAtOnce(task, sql)) ??
      (await this.produceInSteps(task, sql).catch((error: unknown) => this.unbound(task, error)));
    this.sender.throwIfCanceled();
    this.checkFiles(task); // F1
    return { ...made, isResult: task.output.kind === 'result' };
  }

  /**
   * Binds the text once, which is most of what a small stage costs. Undefined when nothing was sent or written that counts, and it
   * has to be looked at more closely.
   */
  private async produceAtOnce(task: StageTaskFragment, sql: string): Promise<Made | undefined> {
    const select = checkedSelect(sql, task.columns);
    if (select === undefined) return undefined;
    try {
      if (task.output.kind !== 'result') return await this.writeFiles(task, task.output, select);
      return isSmall(task) ? await this.sendFew(task, select) : undefined;
    } catch (error) {
      if (this.canceled || !(isTypesDiffer(error) || isOfText(readDuckdbError(error)))) throw error;
      return undefined;
    }
  }

  /** The planner has bound the stage: what cannot be bound here is mostly due to a file that has changed since its table was declared. */
  private async unbound(task: StageTaskFragment, error: unknown): Promise<never> {
    const isBinding =
      error instanceof TaskError ? error.reason === 'INTERNAL_ERROR' : readDuckdbError(error).type === 'Binder';
    if (!isBinding || this.canceled) throw error;
    throw (await otherColumns(this.database.connection, task)) ?? error;
  }

  private async sendFew({ columns }: StageTaskFragment, select: string): Promise<Made | undefined> {
    const result = await fetchFew(this.database.connection, select);
    if (result === undefined) return undefined;
    this.send({ kind: 'started', columns });
    await this.sender.sendAll(result);
    return { rows: this.sender.rows, bytes: 0, files: [], ranges: [] };
  }

  private async produceInSteps(task: StageTaskFragment, sql: string): Promise<Made> {
    const prepared = await this.database.prepareSelect(sql);
    try {
      const columns = await this.checkedColumns(task, prepared);
      this.sender.throwIfCanceled();
      if (task.output.kind !== 'result') return await this.writeFiles(task, task.output, sql);
      const result = new ResultRun(this.database.connection, this.sender, this.send);
      const { format } = task.output;
      const { resultPipe } = this.session;
      const rows = await result.run({ sql, columns, format, resultPipe }, prepared);
      return { rows, bytes: 0, files: [], ranges: [] };
    } finally {
      prepared.destroySync();
    }
  }

  private async writeFiles({ columns }: StageTaskFragment, output: FileOutput, sql: string): Promise<Made> {
    this.send({ kind: 'started', columns });
    const { outputDirectory } = this.message;
    const copied = await this.database.connection.runAndReadAll(copyToFiles(sql, output, outputDirectory));
    const types = columns.map(({ type }) => type);
    return readCopied(copied, outputDirectory, types);
  }

  /** F1 */
  private checkFiles({ scans }: StageTaskFragment): void {
    for (const { source, parts } of scans)
      for (const part of parts) {
        const error = changedFile(source, part);
        if (error !== undefined) throw error;
      }
  }

  /** F2: what the engine's planner promised for the stage, and what binding its text to the files of this task gives. */
  private async checkedColumns(
    { stageId, columns: planned }: StageTaskFragment,
    prepared: DuckDBPreparedStatement,
  ): Promise<Column[]> {
    if (prepared.columnCount !== planned.length)
      throw mismatch(stageId, `it has ${prepared.columnCount} columns and was planned with ${planned.length}`);
    const found = planned.map(({ name }, index) => ({ name, type: typeName(prepared.columnType(index)) }));
    if (planned.every(({ type, nullSql }, i) => type === found[i]?.type && nullSql === castOf(type))) return found;
    // Another spelling of the same type, or a carrier: only the engine can tell.
    const expected = await this.database.typesOf(planned.map(({ nullSql }) => nullSql));
    const at = expected.findIndex((type, i) => type !== found[i]?.type);
    if (at === -1) return found;
    throw mismatch(stageId, `column "${found[at]?.name}" is ${found[at]?.type} and was planned as ${expected[at]}`);
  }

  private failureOf(error: unknown): Omit<Failure, 'cpuMs'> {
    const { error: told, isBroken } = this.canceled ? { error: canceled(), isBroken: false } : this.explain(error);
    const { reason, message, retriable } = told;
    return { reason, message, retriable, broken: isBroken };
  }

  private explain(error: unknown): { readonly error: TaskError; readonly isBroken: boolean } {
    if (error instanceof TaskError) return { error, isBroken: false };
    const told = error instanceof EngineError ? error.told : readDuckdbError(error);
    const inputs = this.message.inputs.flatMap(({ files }) => files);
    const tables = this.tables();
    const { exchangeDirectory, memoryLimitBytes, spillDirectory, spillLimitBytes } = this.session;
    const limits = { memoryLimitBytes, spillDirectory, spillLimitBytes };
    const explained = stageError(told, { ...limits, exchangeDirectory, inputs, tables });
    return { error: explained, isBroken: explained.reason === 'INTERNAL_ERROR' };
  }

  private tables() {
    try {
      const { scans } = decodeStageTask(this.message.fragment);
      return scans.map(({ source, parts }) => ({ ...source, files: parts.map(({ path }) => path) }));
    } catch {
      return [];
    }
  }

  private task(): StageTaskFragment {
    try {
      return decodeStageTask(this.message.fragment);
    } catch (error) {
      throw new TaskError(
        'INTERNAL_ERROR',
        `The worker cannot read what it is to run: ${(error as Error).message}.`,
        true,
      );
    }
  }
}

const isSmall = ({ output, estimatedRows = Infinity }: StageTaskFragment): boolean =>
  output.kind === 'result' && output.format !== 'parquet' && estimatedRows <= FEW_ROWS;

const castOf = (type: string): string => `CAST(NULL AS ${type})`;

const mismatch = (stageId: string, what: string): TaskError =>
  new TaskError(
    'INTERNAL_ERROR',
    `Stage ${stageId} of the query cannot run: ${what}. Report it; SET SESSION distribution = 'single' runs the query on one worker.`,
    false,
  );
