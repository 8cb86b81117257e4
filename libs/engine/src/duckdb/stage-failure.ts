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
  const failure = toTaskError(told, { ...context, statement: '' });
  return failure.reason === 'QUERY_FAILED' ? withFiles(failure, context.tables) : failure;
}

/** Columns between stages have names of ours. */
const OWN_COLUMN = /\s+when casting from source column c\d+$/;
const FILES_NAMED_MAX = 3;

/** The engine does not say in which file a value was: those that the task reads are told. */
function withFiles({ reason, message, retriable }: TaskError, tables: FailureContext['tables']): TaskError {
  const cause = message.replace(OWN_COLUMN, '');
  if (tables.length === 0) return new TaskError(reason, cause, retriable);
  const read = tables.map(({ catalog, schema, name, files }) => {
    // A task may have several parts of a file.
    const paths = [...new Set(files)];
    const more = paths.length - FILES_NAMED_MAX;
    const named = paths.slice(0, FILES_NAMED_MAX).join(', ');
    return `${catalog}.${schema}.${name} (${named}${more > 0 ? ` and ${more} more files` : ''})`;
  });
  const end = /[.!?]$/.test(cause) ? '' : '.';
  return new TaskError(reason, `${cause}${end} The task reads ${read.join(', ')}`, retriable);
}

const FULL = /No space left on device|Disk quota exceeded/i;

/** The disk is shared with others: the same query may succeed on another worker, or later. */
const diskFull = (): TaskError =>
  new TaskError(
    'DISK_FULL',
    'The disk of the worker took no more rows of the query: it is full. Make space there, point exchange.directory to a larger disk, or narrow the query.',
    true,
  );
