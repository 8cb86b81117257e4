import type { Catalog } from './catalog.js';
import { likePattern } from './like-pattern.js';
import type { NamePath } from './own-parser.js';
import type { OwnStatement } from './own-statements.js';
import { statementError, type StatementError } from './statement-error.js';
import { findCatalog, findSchemaNamed, findTables, type NameProblem, type Session } from './table-names.js';

/** A small result that needs no worker: texts and nulls. */
export interface TextRows {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Statements that are answered from the catalogs alone. */
export type CatalogStatement = Exclude<OwnStatement, { kind: 'explain' } | { kind: 'describeQuery' }>;

/** Answers SHOW and DESCRIBE from the catalogs. `text` is the statement, for the position of errors. */
export function answerFromCatalogs(
  statement: CatalogStatement,
  catalogs: readonly Catalog[],
  session: Session,
  text: string,
): { ok: TextRows } | { error: StatementError } {
  const keep = statement.like === undefined ? () => true : likePattern(statement.like);
  const fail = (problem: NameProblem, name: NamePath | undefined) => ({
    error: statementError(problem.reason, problem.message, text, name && { at: name.at, unit: 'utf16' }),
  });
  switch (statement.kind) {
    case 'showCatalogs':
      return { ok: list('Catalog', catalogs, keep) };
    case 'showSchemas': {
      const catalog = findCatalog(catalogs, statement.catalog?.parts[0] ?? session.catalog);
      return 'ok' in catalog ? { ok: list('Schema', catalog.ok.schemas, keep) } : fail(catalog, statement.catalog);
    }
    case 'showTables': {
      const schema = findSchemaNamed(catalogs, session, statement.schema?.parts ?? [session.schema]);
      return 'ok' in schema ? { ok: list('Table', schema.ok.tables, keep) } : fail(schema, statement.schema);
    }
    case 'showColumns': {
      const found = findTables(catalogs, session, statement.table.parts);
      if (!('ok' in found)) return fail(found, statement.table);
      const columns = (found.ok[0]?.table.columns ?? []).filter((column) => keep(column.name));
      return { ok: describeColumns(columns) };
    }
  }
}

function list(title: string, items: readonly { readonly name: string }[], keep: (name: string) => boolean): TextRows {
  const names = items.map((item) => item.name).filter(keep);
  return { columns: [varchar(title)], rows: names.sort((a, b) => (a < b ? -1 : 1)).map((name) => [name]) };
}

/** Columns as rows, the answer to SHOW COLUMNS and DESCRIBE. */
export const describeColumns = (
  columns: readonly { readonly name: string; readonly type: string; readonly comment?: string }[],
): TextRows => ({
  columns: [varchar('Column'), varchar('Type'), varchar('Comment')],
  rows: columns.map(({ name, type, comment }) => [name, type, comment ?? null]),
});

const varchar = (name: string) => ({ name, type: 'VARCHAR' });
