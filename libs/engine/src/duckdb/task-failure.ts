import { formatSize } from '@tutti/base';
import { positionAt } from '@tutti/sql';
import { TaskError } from '../engine.js';
import type { TableReader } from '../fragment.js';
import type { DuckdbError } from './duckdb-error.js';
import { isUnreadable, unreadable } from './unreadable-table.js';

/** What the errors of a running task are told with. */
export interface FailureContext {
  readonly statement: string;
  readonly memoryLimitBytes: number;
  readonly spillLimitBytes: number;
  readonly spillDirectory: string;
  readonly tables: readonly TableReader[];
}

/** What an error at run time means. */
export function toTaskError(error: DuckdbError, context: FailureContext): TaskError {
  const { type, message } = error;
  if (type === 'Out of Memory')
    return /max_temp_directory_size/.test(message)
      ? spillLimit(context.spillLimitBytes)
      : memoryLimit(context.memoryLimitBytes);
  if (type === 'INTERRUPT') return new TaskError('CANCELED', 'The task was canceled.', false);
  if (type === 'INTERNAL' || type === 'FATAL')
    return new TaskError('INTERNAL_ERROR', `The engine failed: ${firstLine(message)}`, true);
  if (type === 'IO' && message.includes(context.spillDirectory)) return cannotSpill(error);
  if (isUnreadable(error)) return unreadable(error, context.tables);
  const place = error.position === undefined ? undefined : positionAt(context.statement, error.position, 'bytes');
  return new TaskError('QUERY_FAILED', `${type === '' ? 'The query failed' : type}: ${message}`, false, place);
}

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').trim();

/** The engine's own limit was hit, or the process outgrew what goes with it. */
export const memoryLimit = (limitBytes: number): TaskError =>
  new TaskError(
    'EXCEEDED_LOCAL_MEMORY_LIMIT',
    `The query needs more than its memory limit of ${formatSize(limitBytes)}. Select fewer columns, filter earlier, or aggregate before joining.`,
    false,
  );

const spillLimit = (limitBytes: number): TaskError =>
  new TaskError(
    'EXCEEDED_SPILL_LIMIT',
    `The query wrote more than ${formatSize(limitBytes)} to disk for lack of memory (task.spillLimit of the worker). Filter earlier, or ask for a higher limit.`,
    false,
  );

/** The disk is shared with others: the same query may succeed on another worker, or later. */
function cannotSpill({ message }: DuckdbError): TaskError {
  const full = /No space left on device|Disk quota exceeded/i.test(message);
  const what = full
    ? 'the spill directory of the worker is full'
    : `the worker cannot write to its spill directory (${firstLine(message)})`;
  const advice = 'Make space there, point task.spillDirectory to a larger disk, or narrow the query.';
  const text = `The query needs more memory than it has, and ${what}. ${full ? advice : 'Mend task.spillDirectory, or narrow the query.'}`;
  return new TaskError('EXCEEDED_SPILL_LIMIT', text, true);
}
