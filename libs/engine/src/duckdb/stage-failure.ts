import { TaskError } from '../engine.js';
import type { DuckdbError } from './duckdb-error.js';
import { type FailureContext, toTaskError } from './task-failure.js';
import { fault } from './unreadable-table.js';

export interface StageContext extends Omit<FailureContext, 'statement'> {
  readonly exchangeDirectory: string;
  /** Exchange files that the stage reads. */
  readonly inputs: readonly string[];
}

/**
 * What an error of a fragment means. Its SQL is ours: no position in it and no part of it is told, since nobody who reads the
 * message knows that text.
 */
export function stageError(error: DuckdbError, context: StageContext): TaskError {
  const told = { ...error, position: undefined };
  if (error.type === 'IO' && error.detail.includes(context.exchangeDirectory) && FULL.test(error.detail))
    return diskFull();
  const input = context.inputs.find((path) => error.detail.includes(path));
  if (input !== undefined)
    return new TaskError(
      'INTERNAL_ERROR',
      `Rows of an earlier stage of the query cannot be read back on this worker (file ${input}: ${fault(error)}). Check its disk; the query may be sent again.`,
      true,
    );
  return toTaskError(told, { ...context, statement: '' });
}

const FULL = /No space left on device|Disk quota exceeded/i;

/** The disk is shared with others: the same query may succeed on another worker, or later. */
const diskFull = (): TaskError =>
  new TaskError(
    'DISK_FULL',
    'The disk of the worker took no more rows of the query: it is full. Make space there, point exchange.directory to a larger disk, or narrow the query.',
    true,
  );
