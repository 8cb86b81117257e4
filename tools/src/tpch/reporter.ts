import { formatSize } from '@tutti/base';
import type { GeneratedFile, GeneratedTables, Progress } from './generate.js';
import { TABLE_NAMES } from './schema.js';

/** Where progress is written: standard error, or something that a test can read. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const count = (rows: number): string => rows.toLocaleString('en-US');
const sum = (files: readonly GeneratedFile[], of: 'rows' | 'bytes'): number =>
  files.reduce((total, file) => total + file[of], 0);

/** Tells how far generation is: a line per finished table and, on a terminal, one that changes as it goes. */
export class Reporter {
  constructor(private readonly output: ProgressOutput) {}

  line(text: string): void {
    this.output.write(`${this.output.isTTY ? CLEAR_LINE : ''}${text}\n`);
  }

  progress({ table, tableRows, tableDone, rows, rowsExpected }: Progress): void {
    if (tableDone) this.line(`  ${table.padEnd(9)} ${count(tableRows).padStart(11)} rows`);
    if (!this.output.isTTY) return;
    // The number of lines is known only afterwards, so 100 % is for the end.
    const percent = Math.min(99, Math.floor((100 * rows) / rowsExpected));
    this.output.write(`${CLEAR_LINE}${String(percent).padStart(3)} %  ${table}  ${count(rows)} rows`);
  }

  /** Ends the line that changes. */
  end(): void {
    if (this.output.isTTY) this.output.write(CLEAR_LINE);
  }
}

const CLEAR_LINE = '\r\x1b[K';

/** What `--json` prints, and what the last line for people is made of. */
export interface TpchReport {
  readonly scale: number;
  readonly directory: string;
  readonly catalog: string;
  /** Whether the data was there before this run. */
  readonly alreadyThere: boolean;
  readonly seconds: number;
  readonly rows: number;
  readonly bytes: number;
  readonly tables: Readonly<Record<string, { rows: number; files: number; bytes: number }>>;
}

export function tpchReport(
  facts: Pick<TpchReport, 'scale' | 'directory' | 'catalog' | 'alreadyThere' | 'seconds'>,
  tables: GeneratedTables,
): TpchReport {
  const all = TABLE_NAMES.flatMap((table) => tables[table]);
  const perTable = TABLE_NAMES.map((table) => {
    const files = tables[table];
    return [table, { rows: sum(files, 'rows'), files: files.length, bytes: sum(files, 'bytes') }];
  });
  return {
    ...facts,
    rows: sum(all, 'rows'),
    bytes: sum(all, 'bytes'),
    tables: Object.fromEntries(perTable) as TpchReport['tables'],
  };
}

export function describeReport(report: TpchReport): string {
  const size = `${count(report.rows)} rows, ${formatSize(report.bytes)}`;
  const how = report.alreadyThere ? 'already there' : `made in ${report.seconds.toFixed(1)} s`;
  return `TPC-H at scale ${report.scale}: ${size}, ${how}\nCatalog: ${report.catalog}`;
}
