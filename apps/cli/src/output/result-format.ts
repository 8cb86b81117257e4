import { AlignedTable } from './aligned-table.js';
import { jsonCell, plainCell } from './cell.js';
import { type ColumnType, parseColumnType, type ResultColumn } from './column-type.js';
import type { Styles } from './styles.js';

/** Turns the rows of one result into text as they come. The methods return the text to print now. */
export interface ResultFormat {
  /** Takes one row: the JSON text of each value. */
  row(cells: readonly string[]): string;
  /** The rows have ended. Not called for a result that breaks off, so that a cut JSON array is seen to be cut. */
  end(): string;
}

export const TEXT_FORMATS = ['table', 'csv', 'json', 'jsonl'] as const;
export type TextFormatName = (typeof TEXT_FORMATS)[number];

/** Parquet is written by the server, and passed on as it comes. */
export const RESULT_FORMATS = [...TEXT_FORMATS, 'parquet'] as const;
export type ResultFormatName = (typeof RESULT_FORMATS)[number];

export interface ResultFormatOptions {
  readonly header: boolean;
  readonly styles: Styles;
}

/** The format of that name for a result with these columns. */
export function createResultFormat(
  name: TextFormatName,
  columns: readonly ResultColumn[],
  options: ResultFormatOptions,
): ResultFormat {
  const types = columns.map((column) => parseColumnType(column.type));
  switch (name) {
    case 'table':
      return tableFormat(columns, types, options);
    case 'csv':
      return csvFormat(columns, types, options);
    case 'json':
      return jsonFormat(columns, types);
    case 'jsonl':
      return jsonLinesFormat(columns, types);
  }
}

/** Lines of text, such as a plan, as they are. */
export const linesFormat: ResultFormat = {
  row: (cells) => cells.map((cell) => `${plainCell(cell, OTHER) ?? ''}\n`).join(''),
  end: () => '',
};

function tableFormat(columns: readonly ResultColumn[], types: readonly ColumnType[], options: ResultFormatOptions) {
  const titles = columns.map((column, index) => ({ title: column.name, right: types[index]?.kind === 'number' }));
  const table = new AlignedTable(titles, options);
  return {
    row: (cells: readonly string[]) => table.row(cells.map((cell, index) => plainCell(cell, types[index] ?? OTHER))),
    end: () => table.end(),
  };
}

/** RFC 4180 with \n line ends. NULL is an empty field, the empty string is a quoted one: they can be told apart. */
function csvFormat(
  columns: readonly ResultColumn[],
  types: readonly ColumnType[],
  { header }: ResultFormatOptions,
): ResultFormat {
  let head = header ? csvLine(columns.map((column) => column.name)) : '';
  const withHead = (text: string) => {
    const all = head + text;
    head = '';
    return all;
  };
  return {
    row: (cells) => withHead(csvLine(cells.map((cell, index) => plainCell(cell, types[index] ?? OTHER)))),
    end: () => withHead(''),
  };
}

const csvLine = (fields: readonly (string | null)[]): string => `${fields.map(csvField).join(',')}\n`;

function csvField(field: string | null): string {
  if (field === null) return '';
  const isPlain = field !== '' && !/[",\r\n]|^\s|\s$/.test(field);
  return isPlain ? field : `"${field.replaceAll('"', '""')}"`;
}

/** One array of objects, one object per line. */
function jsonFormat(columns: readonly ResultColumn[], types: readonly ColumnType[]): ResultFormat {
  const keys = uniqueKeys(columns);
  let separator = '[\n';
  return {
    row: (cells) => {
      const text = separator + jsonObject(keys, types, cells);
      separator = ',\n';
      return text;
    },
    end: () => (separator === '[\n' ? '[]\n' : '\n]\n'),
  };
}

/** One object per line. */
function jsonLinesFormat(columns: readonly ResultColumn[], types: readonly ColumnType[]): ResultFormat {
  const keys = uniqueKeys(columns);
  return { row: (cells) => `${jsonObject(keys, types, cells)}\n`, end: () => '' };
}

function jsonObject(keys: readonly string[], types: readonly ColumnType[], cells: readonly string[]): string {
  const members = cells.map((cell, index) => `${keys[index] ?? '""'}:${jsonCell(cell, types[index] ?? OTHER)}`);
  return `{${members.join(',')}}`;
}

/** The JSON texts of the column names; a name that comes again gets a number, so that no reader drops a value. */
function uniqueKeys(columns: readonly ResultColumn[]): string[] {
  const taken = new Set(columns.map((column) => column.name));
  const used = new Set<string>();
  return columns.map(({ name }) => {
    let key = name;
    for (let number = 2; used.has(key) || (key !== name && taken.has(key)); number += 1) key = `${name}_${number}`;
    used.add(key);
    return JSON.stringify(key);
  });
}

const OTHER: ColumnType = { kind: 'other' };
