// The engine as the coordinator uses it: it knows the tables' columns and sizes, and none of their files.
//   L1. It can open its own empty stub files and nothing else, and its configuration is locked.
//   L2. A statement is bound only after it has passed the gate.
//   L3. Each statement has its connections to itself until all that was begun on them has ended.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DuckDBConnection,
  type DuckDBInstance,
  type DuckDBPreparedStatement,
  StatementType,
} from '@duckdb/node-api';
import { invariant } from '@tutti/base';
import {
  answerFromCatalogs,
  type Catalog,
  classifyStatement,
  findCatalog,
  findSchema,
  findTables,
  fullTableName,
  type NamedTable,
  type OwnStatement,
  refuseTable,
  type Session,
  type StatementError,
  statementError,
  type TableReference,
} from '@tutti/sql';
import { typeName } from '../duckdb/column-type-name.js';
import { readDuckdbError, toStatementError } from '../duckdb/duckdb-error.js';
import { hasUnnamedFields } from '../duckdb/json-value.js';
import { openInstance } from '../duckdb/open-instance.js';
import { createSchemas } from '../duckdb/reader-sql.js';
import { literal, literals } from '../duckdb/sql-text.js';
import type { Column, EnginePlan, PlanOutcome } from '../engine.js';
import { BoundQuery } from './bound-query.js';
import type { CheckedTable } from './catalog-check.js';
import { ConnectionQueue } from './connection-queue.js';
import { DISABLED_OPTIMIZERS, DistributionPlanner } from './distribution-plan.js';
import { PlanningConnection } from './planning-connection.js';
import { PlanningTables } from './planning-tables.js';
import { createStubView, type StubbedTable, writeStub } from './stub-table.js';
import { TableSplits } from './table-splits.js';

export interface PlanningInstanceOptions {
  readonly catalogs: readonly Catalog[];
  readonly tables: readonly CheckedTable[];
  /** Existing directory for the stub files; nobody else writes there. */
  readonly scratchDirectory: string;
  /** Told of a table that could not be read when it was checked, and now can. */
  readonly mended?: (table: CheckedTable) => void;
}

/** Statements that are planned at the same time; each takes a thread while it is bound. */
const CONNECTIONS = 4;
const MEMORY_LIMIT = '512MB';

/** Plans statements in this process. */
export class PlanningInstance {
  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connections: ConnectionQueue,
    /** For the views of tables. */
    private readonly admin: DuckDBConnection,
    private readonly catalogs: readonly Catalog[],
    private readonly tables: PlanningTables,
    private readonly splits: TableSplits,
    private readonly planner: DistributionPlanner,
  ) {}

  static async open(options: PlanningInstanceOptions): Promise<PlanningInstance> {
    const { catalogs, tables, mended = () => undefined } = options;
    const stubs = join(options.scratchDirectory, 'stubs');
    mkdirSync(stubs, { recursive: true });
    const instance = await openInstance({ threads: '1', memory_limit: MEMORY_LIMIT });
    const connections: PlanningConnection[] = [];
    for (let i = 0; i < CONNECTIONS; i++) {
      connections.push(await PlanningConnection.open(instance));
    }
    const admin = await instance.connect();
    const places = catalogs.flatMap((c) => c.schemas.map((schema) => ({ catalog: c.name, schema: schema.name })));
    for (const statement of createSchemas(places)) await admin.run(statement);
    const stubbed = tables.map((table, index) => ({ ...table, stubPath: join(stubs, `${index}.parquet`) }));
    for (const table of stubbed) {
      await writeStub(admin, table);
      await createStubView(admin, table);
    }
    await admin.run(
      `SET disabled_optimizers = ${literal(DISABLED_OPTIMIZERS.join(','))}; SET allowed_directories = ${literals([stubs])}; SET enable_external_access = false; SET lock_configuration = true`,
    );
    const replace = (table: StubbedTable) => createStubView(admin, table);
    const known = new PlanningTables(stubbed, { replace, mended });
    const splits = new TableSplits();
    const planner = new DistributionPlanner(known, splits);
    void splits.readAhead(stubbed.filter(({ defect }) => defect === undefined));
    return new PlanningInstance(instance, new ConnectionQueue(connections), admin, catalogs, known, splits, planner);
  }

  /** Plans one statement. When `signal` aborts the engine is interrupted, which it may notice late. */
  async plan(text: string, session: Session, signal: AbortSignal): Promise<PlanOutcome> {
    const statement = classifyStatement(text);
    if (statement.kind === 'error') return statement;
    if (statement.kind === 'own') return this.planOwn(statement.statement, text, session, signal);
    return this.bind({ sql: statement.sql, isPlanned: true }, session, signal, (bound) => bound.query());
  }

  async close(): Promise<void> {
    await this.splits.close();
    await this.tables.idle();
    this.connections.close();
    this.admin.closeSync();
    this.instance.closeSync();
  }

  private async planOwn(own: OwnStatement, text: string, session: Session, signal: AbortSignal): Promise<PlanOutcome> {
    if (own.kind === 'describeQuery' || own.kind === 'explain') {
      const inner = classifyStatement(own.query);
      if (inner.kind === 'error') return inner;
      const keyword = own.kind === 'explain' ? 'EXPLAIN' : 'DESCRIBE';
      if (inner.kind === 'own')
        return failed(
          statementError('NOT_SUPPORTED', `${keyword} takes a query, not SHOW, DESCRIBE or EXPLAIN.`, text),
        );
      const isPlanned = own.kind === 'explain';
      return this.bind({ sql: inner.sql, isPlanned }, session, signal, (bound) =>
        own.kind === 'explain' ? bound.explain(own.isAnalyze) : bound.describe(),
      );
    }
    const answer = answerFromCatalogs(own, this.catalogs, session, text);
    return 'ok' in answer ? { kind: 'rows', ...answer.ok } : failed(answer.error);
  }

  private async bind(
    { sql, isPlanned }: { readonly sql: string; readonly isPlanned: boolean },
    session: Session,
    signal: AbortSignal,
    use: (bound: BoundQuery) => Promise<PlanOutcome>,
  ): Promise<PlanOutcome> {
    const catalog = findCatalog(this.catalogs, session.catalog);
    if (!('ok' in catalog)) return failed(statementError(catalog.reason, catalog.message));
    const schema = findSchema(catalog.ok, session.schema);
    if (!('ok' in schema)) return failed(statementError(schema.reason, schema.message));
    const place = { catalog: catalog.ok.name, schema: schema.ok.name };

    return this.connections.use(signal, async (leased) => {
      const { words } = classifyStatement(sql) as { words: readonly string[] };
      const inspection = await leased.gate.inspect(sql, words);
      if ('error' in inspection) return failed(inspection.error);
      const tables = this.resolve(inspection.ok.tables, inspection.ok.cteNames, place, sql);
      if (!Array.isArray(tables)) return failed(tables);
      const stubbed = await this.tables.find(tables);
      if (!Array.isArray(stubbed)) return failed(stubbed);
      let prepared: DuckDBPreparedStatement | undefined;
      let plan: Promise<EnginePlan> | undefined;
      try {
        await leased.use(place);
        const { distribution } = session;
        // Most statements are right: their plan is made while they are bound.
        plan = isPlanned ? this.planner.plan({ sql, distribution, tables: stubbed }, leased, signal) : undefined;
        plan?.catch(() => undefined); // Told when the statement is known to be right.
        prepared = await leased.connection.prepare(sql);
        invariant(prepared.statementType === StatementType.SELECT, 'the gate lets queries pass only');
        if (prepared.parameterCount > 0)
          return failed(
            statementError('NOT_SUPPORTED', 'Parameters such as ? and $1 are not supported. Write the values.', sql),
          );
        const columns = columnsOf(prepared);
        if (!Array.isArray(columns)) return failed(columns);
        return await use(new BoundQuery({ leased, sql, session: place, columns, tables: stubbed, plan }));
      } catch (error) {
        const names = tables.flatMap(({ table }) => table.columns.map((column) => column.name));
        return failed(toStatementError(readDuckdbError(error), sql, names));
      } finally {
        await plan?.catch(() => undefined); // L3
        prepared?.destroySync();
      }
    });
  }

  /** The catalog tables that the statement can touch. A name that is also a CTE counts as both: more is harmless. */
  private resolve(
    references: readonly TableReference[],
    cteNames: ReadonlySet<string>,
    session: Session,
    sql: string,
  ): NamedTable[] | StatementError {
    const tables = new Map<string, NamedTable>();
    for (const reference of references) {
      const found = findTables(this.catalogs, session, reference.parts);
      if ('ok' in found) {
        for (const table of found.ok) tables.set(fullTableName(table), table);
        continue;
      }
      if (reference.parts.length === 1 && cteNames.has((reference.parts[0] ?? '').toLowerCase())) continue;
      const refusal = refuseTable(reference);
      const { reason, message } = refusal !== undefined && 'reason' in refusal ? refusal : found;
      return statementError(
        reason,
        message,
        sql,
        reference.at === undefined ? undefined : { at: reference.at, unit: 'bytes' },
      );
    }
    return [...tables.values()];
  }
}

function columnsOf(prepared: DuckDBPreparedStatement): Column[] | StatementError {
  const columns: Column[] = [];
  for (let i = 0; i < prepared.columnCount; i++) {
    const type = prepared.columnType(i);
    const name = prepared.columnName(i);
    if (hasUnnamedFields(type)) {
      const hint = "Name them, as in {'a': 1, 'b': 2} or struct_pack(a := 1, b := 2).";
      return statementError('NOT_SUPPORTED', `Column "${name}" is a struct whose fields have no names. ${hint}`);
    }
    columns.push({ name, type: typeName(type) });
  }
  return columns;
}

const failed = (error: StatementError): PlanOutcome => ({ kind: 'error', error });
