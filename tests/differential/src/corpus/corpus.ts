import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Comparison } from '../runner/compare-rows.js';

/** A statement of the corpus. Each ends with a semicolon at the end of a line; `-- @ordered`, `-- @count` or `-- @fails` before it. */
export interface CorpusQuery {
  /** File and line, such as joins.sql:12. */
  readonly place: string;
  readonly sql: string;
  readonly comparison: Comparison;
  /** Whether it is expected to end with an error. */
  readonly fails: boolean;
}

const directory = dirname(fileURLToPath(import.meta.url));

/** The subjects: names of the files. */
export const subjects = (): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort();

export function corpusOf(subject: string): CorpusQuery[] {
  const queries: CorpusQuery[] = [];
  let mark = 'bag';
  let text = '';
  for (const [index, line] of readFileSync(join(directory, subject), 'utf8').split('\n').entries()) {
    if (line.startsWith('-- @')) mark = line.slice('-- @'.length);
    if (line.startsWith('--') || (text === '' && line.trim() === '')) continue;
    text += `${line}\n`;
    if (!line.endsWith(';')) continue;
    const fails = mark === 'fails';
    if (!fails && !isComparison(mark)) throw new Error(`${subject}:${index + 1}: there is no @${mark}`);
    const comparison = isComparison(mark) ? mark : 'bag';
    queries.push({ place: `${subject}:${index + 1}`, sql: text.trim().slice(0, -1), comparison, fails });
    text = '';
    mark = 'bag';
  }
  if (text !== '') throw new Error(`${subject}: the last statement has no semicolon`);
  return queries;
}

const isComparison = (mark: string): mark is Comparison => ['ordered', 'bag', 'count'].includes(mark);
