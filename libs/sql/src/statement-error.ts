import { type OffsetUnit, positionAt } from './error-position.js';

/** Why a statement cannot run, as docs/errors.md names it. */
export type StatementErrorReason =
  | 'SYNTAX_ERROR'
  | 'EMPTY_STATEMENT'
  | 'MULTIPLE_STATEMENTS'
  | 'TABLE_NOT_FOUND'
  | 'SCHEMA_NOT_FOUND'
  | 'CATALOG_NOT_FOUND'
  | 'COLUMN_NOT_FOUND'
  | 'FUNCTION_NOT_FOUND'
  | 'TYPE_MISMATCH'
  | 'INVALID_STATEMENT'
  | 'INVALID_ARGUMENT'
  | 'NOT_SUPPORTED'
  | 'PERMISSION_DENIED'
  | 'TABLE_UNREADABLE'
  | 'EXCEEDED_TIME_LIMIT'
  | 'EXCEEDED_LOCAL_MEMORY_LIMIT'
  | 'INTERNAL_ERROR';

/** What is wrong with a statement, where, and what to do about it. */
export interface StatementError {
  readonly reason: StatementErrorReason;
  readonly message: string;
  /** From 1; 0 when the error has no place. */
  readonly line: number;
  /** In characters, from 1; 0 when the error has no place. */
  readonly column: number;
}

/** A place in the text of a statement. */
export interface TextOffset {
  readonly at: number;
  readonly unit: OffsetUnit;
}

/** An error of `statement`, at `offset` when that is known. */
export function statementError(
  reason: StatementErrorReason,
  message: string,
  statement = '',
  offset?: TextOffset,
): StatementError {
  const place = offset === undefined ? undefined : positionAt(statement, offset.at, offset.unit);
  return { reason, message, line: place?.line ?? 0, column: place?.column ?? 0 };
}

/** Ends a message with the names that may have been meant, if there are any. */
export function didYouMean(message: string, names: readonly string[]): string {
  if (names.length === 0) return message;
  const quoted = names.map((name) => `"${name}"`);
  const last = quoted.pop();
  return `${message} Did you mean ${quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`}?`;
}
