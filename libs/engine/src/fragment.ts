import type { CsvOptions, JsonOptions, Session, TableFormat } from '@tutti/sql';
import type { Column } from './engine.js';
import type { ResultFormat } from './stage-fragment.js';

/** A part of a query that one executor runs: here always the whole statement, with all that its tables need. */
export interface Fragment {
  readonly version: 1;
  readonly sql: string;
  readonly session: Session;
  readonly tables: readonly TableReader[];
  /** Rows of the tables in all, about. */
  readonly inputRows?: number;
  /** What the planner promised; the executor refuses to answer with anything else. */
  readonly columns: readonly Column[];
  /** How the rows are sent; `rows` when it is not said. */
  readonly format?: ResultFormat;
}

/** How an executor reads one table. */
export interface TableReader {
  readonly catalog: string;
  readonly schema: string;
  readonly name: string;
  readonly format: TableFormat;
  /** Absolute paths. */
  readonly files: readonly string[];
  readonly columns: readonly Column[];
  readonly csv?: CsvOptions;
  readonly json?: JsonOptions;
}

export const encodeFragment = (fragment: Fragment): Uint8Array => new TextEncoder().encode(JSON.stringify(fragment));

/** The same work, its rows sent in another format. Throws when the bytes are no fragment. */
export const withResultFormat = (fragment: Uint8Array, format: ResultFormat): Uint8Array =>
  encodeFragment({ ...decodeFragment(fragment), format });

/** Reads what encodeFragment wrote. Throws when the bytes are something else. */
export function decodeFragment(bytes: Uint8Array): Fragment {
  const fragment = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Partial<Fragment>;
  if (fragment.version !== 1 || typeof fragment.sql !== 'string' || !Array.isArray(fragment.tables))
    throw new Error(`the fragment has version ${String(fragment.version)}; this program reads version 1`);
  return fragment as Fragment;
}
