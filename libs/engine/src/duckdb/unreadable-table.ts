// What is wrong with a file, in words for those who own it. The engine's own words are advice about options of its
// readers, which nobody but the catalog can set, and they name no table.
import { TaskError } from '../engine.js';
import type { TableReader } from '../fragment.js';
import type { DuckdbError } from './duckdb-error.js';

const TYPES = new Set(['IO', 'Permission', 'HTTP', 'Serialization', 'Missing Extension']);
/** Footers and page headers that make no sense. These errors name no file. */
const THRIFT =
  /^(?:TProtocolException|TTransportException|don't know what type|Variable-length int over|No more data to read)/;
const MESSAGES =
  /^CSV Error on Line|^(?:Malformed JSON|JSON transform error) in file|^Expected top-level JSON|^Failed to read file|^Error while reading file|No magic bytes|Parquet|^Cannot open file/i;

/** Whether an error of a running query is about its files, and not about what it says. */
export const isUnreadable = ({ type, detail }: DuckdbError): boolean =>
  TYPES.has(type) || MESSAGES.test(detail) || THRIFT.test(detail);

/** The error for a file of one of `tables` that cannot be read. */
export function unreadable(error: DuckdbError, tables: readonly TableReader[]): TaskError {
  const place = placeOf(error, tables);
  const isThrift = THRIFT.test(error.detail);
  const possible = isThrift ? tables.filter(({ format }) => format === 'parquet') : tables;
  const table = place?.table ?? (possible.length === 1 ? possible[0] : undefined);
  if (table === undefined && possible.length > 1)
    return new TaskError('TABLE_UNREADABLE', `One of ${list(possible)} cannot be read: ${fault(error)}.`, false);
  // Binding looks at the first file only, and its errors name none.
  const isFirst = error.type === 'Binder' || (isThrift && table?.files.length === 1);
  const file = place?.file ?? (isFirst ? table?.files[0] : undefined);
  return unreadableFile(table, file, fault(error));
}

/** The error for a file of which it is known what is wrong. */
export function unreadableFile(table: TableReader | undefined, file: string | undefined, problem: string): TaskError {
  const subject = table === undefined ? 'A table' : `Table ${fullName(table)}`;
  const where = file === undefined ? '' : `file ${file}: `;
  return new TaskError('TABLE_UNREADABLE', `${subject} cannot be read: ${where}${problem}.`, false);
}

const fullName = ({ catalog, schema, name }: TableReader): string => `${catalog}.${schema}.${name}`;
const NAMED_MAX = 5;
const list = (tables: readonly TableReader[]): string => {
  const more = tables.length > NAMED_MAX ? ` and ${tables.length - NAMED_MAX} more` : '';
  return `the tables ${tables.slice(0, NAMED_MAX).map(fullName).join(', ')}${more}`;
};

/** The file that the error names first, and its table. */
function placeOf({ detail }: DuckdbError, tables: readonly TableReader[]) {
  // Errors of CSV files show the line first, which may say anything, and then the file.
  const text = detail.slice(Math.max(0, detail.lastIndexOf('\n  file = ')));
  const named = tables
    .flatMap((table) => table.files.map((file) => ({ table, file, at: text.indexOf(file) })))
    .filter(({ at }) => at !== -1);
  return named.sort((a, b) => a.at - b.at || b.file.length - a.file.length)[0];
}

/** What is wrong with the file, as the end of a sentence without its full stop. */
export function fault({ detail }: DuckdbError): string {
  for (const [pattern, words] of FAULTS) {
    const match = pattern.exec(detail);
    if (match !== null)
      return match.slice(1).reduce((text, part, i) => text.replace(`$${i + 1}`, () => short(part)), words);
  }
  return short((detail.split('\n')[0] ?? '').replace(/[.\s]+$/, ''));
}

/** The same of a Parquet file of which nothing but the footer was read. */
export const footerFault = (error: DuckdbError): string =>
  THRIFT.test(error.detail) ? 'its Parquet footer is damaged' : fault(error);

const short = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}...` : text);

/** What the engine says, and what it means; `$1` and so on are the parts in parentheses. */
const FAULTS: readonly (readonly [RegExp, string])[] = [
  [
    /^CSV Error on Line: (\d+)\n[^]*\nExpected Number of Columns: (\d+) Found: (\d+)/,
    'line $1 has $3 values, and the catalog declares $2 columns',
  ],
  [
    /^CSV Error on Line: (\d+)\n[^]*\nError when converting column "(.*)"\. Could not convert string "([^]*?)" to '(.*)'/,
    'line $1 has "$3" in column "$2", which is $4 in the catalog',
  ],
  [/^CSV Error on Line: (\d+)\n[^]*unterminated quote/, 'line $1 has a quote that does not end'],
  [/^CSV Error on Line: (\d+)\n[^]*Invalid unicode/, 'line $1 is no UTF-8 text'],
  [/^CSV Error on Line: (\d+)\n[^]*Maximum line size of (\d+) bytes exceeded/, 'line $1 is longer than $2 bytes'],
  [/^CSV Error on Line: (\d+)/, 'line $1 is not what the catalog says of its CSV files'],
  [
    /^JSON transform error in file .*, in (?:line|record\/value) (\d+): Failed to cast value to numerical: (.*)/,
    'value $2 of record $1 is not what the catalog declares',
  ],
  [/^JSON transform error in file .*, in (?:line|record\/value) (\d+): (.*)/, 'record $1: $2'],
  [/^Malformed JSON in file .* in (?:line|record\/value) (\d+): ([^.]*)/, 'malformed JSON near record $1: $2'],
  [/^Malformed JSON in file .*?(?:: ([^.:]*))?\./, 'malformed JSON: $1'],
  [/^Expected top-level JSON array/, 'it is no array, which the catalog says with the layout "array"'],
  [/schema mismatch in glob: column "(.*?)" was read/, 'it has no column "$1", which the catalog declares'],
  [/^Referenced column "(.*?)" not found/, 'it has no column "$1", which the catalog declares'],
  [/failed to cast column "(.*)" from type (.*) to (.*?): /, 'column "$1" is $2 in it, and $3 in the files before it'],
  [/No magic bytes|too small to be a Parquet file/, 'it is no Parquet file, or only a part of one'],
  [/^Failed to read file ".*": (.*)/, 'it is damaged ($1)'],
  [THRIFT, 'a Parquet file of it is damaged: its pages or its footer make no sense'],
  [/^No files found that match|No such file or directory/, 'it does not exist'],
  [/Permission denied/, 'the worker may not read it'],
];
