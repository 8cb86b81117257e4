// Tables and constant rows. Where little has to be read of a table, every task that needs it reads that; where it is much, it is
// divided by splits.
import type { Cutter } from './cutter.js';
import { type Distribution, type Fragment, REPLICATED, usableHash } from './fragment.js';
import type { KeyRanges } from './key-ranges.js';
import type { NodeOf } from './plan-nodes.js';
import type { TableSize } from '../splits/table-size.js';
import type { CutSettings } from './stage.js';
import { boundsOf } from './scan-bounds.js';
import { column, NotCuttable, render, safeText, scanMark, selectList, where } from './stage-sql.js';

type ScanNode = NodeOf<'scan'>;

/** Reading more than this takes longer than a stage that divides it. */
const REPLICATED_BYTES_MAX = 64 * 1_024 * 1_024;

/** Whether every task reads all of it. */
export function isReadWhole(
  { columns, filters }: ScanNode,
  size: TableSize | undefined,
  settings: CutSettings,
): boolean {
  const left = size?.within?.(columns, boundsOf(filters)) ?? size;
  return left !== undefined && left.rows <= settings.replicatedRowsMax && left.bytes <= REPLICATED_BYTES_MAX;
}

function dividedBy({ output }: ScanNode, ranges: KeyRanges | undefined): Distribution {
  if (ranges === undefined) return { kind: 'divided', hash: undefined };
  const keys = output.flatMap((column, index) => (column === ranges.column ? [index] : []));
  return { kind: 'divided', hash: usableHash([new Set(keys)]), ranges: ranges.id };
}

export function openScan(node: NodeOf<'scan'>, cutter: Cutter): Fragment {
  const size = cutter.table(node.table);
  if (size === undefined) throw new NotCuttable(`nothing is known of the size of table ${node.table}`);
  const bounds = boundsOf(node.filters);
  const left = size.within?.(node.columns, bounds) ?? size;
  const isSmall = isReadWhole(node, size, cutter.settings);
  const ranges = isSmall ? undefined : cutter.rangesOf(node);
  const number = cutter.numberOf(node);
  const items = node.output.map((index) => column(index));
  return {
    sql: `SELECT ${selectList(items)} FROM ${scanMark(number)} AS t${where(node.filters.map((filter) => render(filter)))}`,
    commons: [],
    types: node.types,
    distribution: isSmall ? REPLICATED : dividedBy(node, ranges),
    estimatedRows: Math.min(node.estimatedRows, left.rows),
    scans: [
      {
        number,
        table: node.table,
        columns: node.columns,
        share: isSmall ? 'all' : 'own',
        bounds,
        wanted: [],
        rows: left.rows,
        splits: left.splits,
        ranges,
      },
    ],
    reads: [],
    operators: [`scan ${node.table}`],
    origins: node.output.map((index) => ({ scan: number, column: index })),
    stored: undefined,
    isRowwise: true,
    isOneRow: false,
  };
}

export function openValues(node: NodeOf<'values'>): Fragment {
  const { types, rows } = node;
  if (rows.length === 0) return constantRows(node, noRows(node), 'values');
  const texts = rows.map((row) => row.map((value, index) => `CAST(${render(value)} AS ${typeText(node, index)})`));
  if (types.length === 0) {
    return constantRows(node, texts.map(() => `SELECT ${selectList([])}`).join(' UNION ALL '), 'values');
  }
  const names = types.map((_, index) => `c${index}`).join(', ');
  const list = texts.map((row) => `(${row.join(', ')})`).join(', ');
  return constantRows(node, `SELECT * FROM (VALUES ${list}) AS t(${names})`, 'values');
}

export const openEmpty = (node: NodeOf<'empty'>): Fragment => constantRows(node, noRows(node), 'no rows');

const typeText = ({ types }: { readonly types: NodeOf<'values'>['types'] }, index: number): string =>
  safeText(types[index]?.sql ?? 'VARCHAR');

const noRows = (node: NodeOf<'values'> | NodeOf<'empty'>): string =>
  `SELECT ${selectList(node.types.map((_, index) => `CAST(NULL AS ${typeText(node, index)})`))} WHERE false`;

function constantRows(node: NodeOf<'values'> | NodeOf<'empty'>, sql: string, operator: string): Fragment {
  return {
    sql,
    commons: [],
    types: node.types,
    distribution: REPLICATED,
    estimatedRows: node.op === 'values' ? node.rows.length : 0,
    scans: [],
    reads: [],
    operators: [operator],
    origins: node.types.map(() => undefined),
    stored: undefined,
    isRowwise: true,
    isOneRow: false,
  };
}
