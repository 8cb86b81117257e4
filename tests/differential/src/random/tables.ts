import type { Kind } from './query-tree.js';

export interface RandomTable {
  readonly name: string;
  readonly rows: number;
  /** By name: kind, and how many different values, about. Skewed columns count as having few. */
  readonly columns: Readonly<Record<string, readonly [Kind, number]>>;
}

/** Tables of random queries, and those of their columns whose sums cannot overflow. */
export const RANDOM_TABLES: readonly RandomTable[] = [
  {
    name: 'facts',
    rows: 3000,
    columns: {
      id: ['int', 3000],
      k: ['int', 6],
      g: ['int', 6],
      s: ['text', 8],
      d: ['float', 20],
      x: ['float', 1500],
      n: ['decimal', 2500],
      b: ['bool', 2],
      dt: ['date', 400],
    },
  },
  {
    name: 'dims',
    rows: 201,
    columns: { k: ['int', 200], name: ['text', 80], grp: ['int', 5], up: ['int', 90], w: ['decimal', 180] },
  },
  { name: 'dup1', rows: 600, columns: { a: ['int', 5], b: ['text', 3] } },
  { name: 'dup2', rows: 500, columns: { a: ['int', 5], b: ['text', 3] } },
  { name: 'hot_left', rows: 1200, columns: { key: ['text', 2], v: ['int', 100] } },
  { name: 'hot_right', rows: 100, columns: { key: ['text', 30], v: ['int', 60] } },
  {
    name: 'empty_t',
    rows: 1,
    columns: { id: ['int', 1], k: ['int', 1], s: ['text', 1], d: ['float', 1], n: ['decimal', 1] },
  },
  {
    name: 'nulls',
    rows: 50,
    columns: { id: ['int', 50], k: ['int', 50], s: ['text', 50], rare: ['int', 50], d: ['float', 10] },
  },
  { name: 'one', rows: 1, columns: { k: ['int', 1], s: ['text', 1] } },
  {
    name: 'readings',
    rows: 300,
    columns: {
      id: ['int', 300],
      k: ['int', 150],
      x: ['float', 4],
      flag: ['bool', 2],
      dt: ['date', 200],
      name: ['text', 4],
    },
  },
  { name: 'raw.events', rows: 500, columns: { id: ['int', 500], k: ['int', 200], kind: ['text', 3] } },
  {
    name: 'trade.orders',
    rows: 700,
    columns: {
      o_key: ['int', 700],
      o_customer: ['int', 90],
      o_status: ['text', 3],
      o_total: ['decimal', 700],
      o_date: ['date', 600],
    },
  },
  {
    name: 'trade.lineitem',
    rows: 2800,
    columns: {
      l_order: ['int', 700],
      l_part: ['int', 100],
      l_supplier: ['int', 20],
      l_quantity: ['decimal', 50],
      l_shipped: ['date', 1700],
      l_mode: ['text', 4],
    },
  },
  {
    name: 'trade.customer',
    rows: 150,
    columns: { c_key: ['int', 150], c_nation: ['int', 25], c_segment: ['text', 4], c_balance: ['decimal', 150] },
  },
];
