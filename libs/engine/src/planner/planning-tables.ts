// The tables that statements are planned with.
//   T1. A table that cannot be read is looked at again when a statement names it and its files are not as they were; while they
//       are, a statement costs one look at their sizes and times.
//   T2. One look at a table at a time, however many statements name it. A statement waits for it for a bounded time.
//   T3. A table that can be read stays so: what becomes of its files later is found out by those who read them.
import { type Clock, invariant, systemClock } from '@tutti/base';
import { fullTableName, type NamedTable, type StatementError, statementError } from '@tutti/sql';
import { type CheckedTable, checkTable, type TableDefect } from './catalog-check.js';
import type { StubbedTable } from './stub-table.js';
import { tableFiles } from './table-files.js';

export interface PlanningTablesOptions {
  /** Makes the table known to the optimiser as it is now. */
  readonly replace: (table: StubbedTable) => Promise<void>;
  /** Told of a table that can be read again. */
  readonly mended: (table: CheckedTable) => void;
  readonly clock?: Clock;
  /** T2. */
  readonly waitMs?: number;
}

const WAIT_MS = 1_000;

export class PlanningTables {
  private readonly byName: Map<string, StubbedTable>;
  private readonly byPath: Map<string, StubbedTable>;
  /** T2. */
  private readonly looking = new Map<string, Promise<void>>();

  constructor(
    tables: readonly StubbedTable[],
    private readonly options: PlanningTablesOptions,
  ) {
    this.byName = new Map(tables.map((table) => [nameOf(table), table]));
    this.byPath = new Map(tables.map((table) => [table.stubPath, table]));
  }

  byStub(stubPath: string): StubbedTable | undefined {
    return this.byPath.get(stubPath);
  }

  /** The tables of a statement, or the error for one that cannot be read. */
  async find(tables: readonly NamedTable[]): Promise<StubbedTable[] | StatementError> {
    for (const named of tables) {
      if (this.get(named).defect !== undefined) await this.lookAgain(named);
      const { defect } = this.get(named);
      if (defect !== undefined) return refusal(named, defect);
    }
    return tables.map((named) => this.get(named));
  }

  /** Resolves when no table is being looked at. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.looking.values());
  }

  private get(named: NamedTable): StubbedTable {
    const found = this.byName.get(fullTableName(named));
    invariant(found !== undefined, `table ${fullTableName(named)} has been checked`);
    return found;
  }

  private async lookAgain(named: NamedTable): Promise<void> {
    const { clock = systemClock, waitMs = WAIT_MS } = this.options;
    const name = fullTableName(named);
    let looking = this.looking.get(name);
    if (looking === undefined) {
      looking = this.look(named).finally(() => this.looking.delete(name));
      looking.catch(() => undefined); // Told to those who still wait.
      this.looking.set(name, looking);
    }
    let cancel: () => void = () => undefined;
    const enough = new Promise<void>((resolve) => (cancel = clock.schedule(waitMs, resolve)));
    await Promise.race([looking, enough]).finally(() => cancel());
  }

  private async look(named: NamedTable): Promise<void> {
    const before = this.get(named);
    const { version } = await tableFiles(named.table);
    if (version === before.defect?.version) return; // T1
    const checked = await checkTable(named);
    const { stubPath } = before;
    const table: StubbedTable = { ...checked, stubPath };
    if (checked.defect === undefined) await this.options.replace(table);
    this.byName.set(fullTableName(named), table);
    this.byPath.set(stubPath, table);
    if (checked.defect === undefined) this.options.mended(checked);
  }
}

/** What to do about a table that cannot be read. */
export const MEND_TABLE = 'Put the file back, or correct the catalog and restart the coordinators.';

function refusal(named: NamedTable, { problems }: TableDefect): StatementError {
  const more = problems.length > 1 ? ' (and more: see the log of the coordinator)' : '';
  const message = `Table ${fullTableName(named)} cannot be read: ${problems[0] ?? ''}${more}. ${MEND_TABLE}`;
  return statementError('TABLE_UNREADABLE', message);
}

const nameOf = ({ reader: { catalog, schema, name } }: StubbedTable): string => `${catalog}.${schema}.${name}`;
