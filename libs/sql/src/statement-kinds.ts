import type { StatementErrorReason } from './statement-error.js';

const SELECT_ONLY = 'Only queries run here: SELECT, VALUES, EXPLAIN of a query, SHOW and DESCRIBE.';

const WRITES = 'Tables are read-only. ';
const FILES = 'Statements cannot read or write files. Tables come from the catalogs; SHOW TABLES lists them. ';
const SETTINGS = 'Settings cannot be changed by statements. ';

const DENIED: Readonly<Record<string, string>> = {
  INSERT: WRITES,
  UPDATE: WRITES,
  DELETE: WRITES,
  MERGE: WRITES,
  TRUNCATE: WRITES,
  CREATE: WRITES,
  ALTER: WRITES,
  DROP: WRITES,
  COMMENT: WRITES,
  COPY: FILES,
  ATTACH: FILES,
  DETACH: FILES,
  EXPORT: FILES,
  IMPORT: FILES,
  INSTALL: 'Extensions cannot be installed by statements. ',
  LOAD: 'Extensions cannot be loaded by statements. ',
  FORCE: 'Extensions cannot be installed by statements. ',
  SET: `${SETTINGS}SET SESSION name = value sets what SHOW SESSION lists; the catalog and schema of a session are part of the request. `,
  RESET: `${SETTINGS}RESET SESSION name takes back what SET SESSION set. `,
  PRAGMA: SETTINGS,
  USE: 'The catalog and schema of a session are part of the request; or write full names such as demo.main.flights. ',
  CALL: 'Procedures cannot be called. ',
  CHECKPOINT: SETTINGS,
  VACUUM: SETTINGS,
  ANALYZE: SETTINGS,
};

const UNSUPPORTED: Readonly<Record<string, string>> = {
  BEGIN: 'Transactions are not supported: every query sees its tables as they are. ',
  START: 'Transactions are not supported: every query sees its tables as they are. ',
  COMMIT: 'Transactions are not supported. ',
  ROLLBACK: 'Transactions are not supported. ',
  ABORT: 'Transactions are not supported. ',
  PREPARE: 'Prepared statements are not supported. ',
  EXECUTE: 'Prepared statements are not supported. ',
  DEALLOCATE: 'Prepared statements are not supported. ',
};

const PIVOT =
  'PIVOT with columns that come from the data is not supported. Name them: PIVOT t ON c IN (...) becomes SELECT ... FROM t PIVOT (sum(x) FOR c IN (...)).';

/**
 * Why a statement that parses but is no query is refused. `words` are its unquoted words in upper case. A statement
 * that contains a dynamic PIVOT is several statements to the engine, and therefore ends up here too.
 */
export function refuseStatement(words: readonly string[]): { reason: StatementErrorReason; message: string } {
  const first = words[0] ?? '';
  if (Object.hasOwn(DENIED, first)) return { reason: 'PERMISSION_DENIED', message: `${DENIED[first]}${SELECT_ONLY}` };
  if (Object.hasOwn(UNSUPPORTED, first))
    return { reason: 'NOT_SUPPORTED', message: `${UNSUPPORTED[first]}${SELECT_ONLY}` };
  if (words.includes('PIVOT') || words.includes('PIVOT_WIDER')) return { reason: 'NOT_SUPPORTED', message: PIVOT };
  return { reason: 'PERMISSION_DENIED', message: SELECT_ONLY };
}
