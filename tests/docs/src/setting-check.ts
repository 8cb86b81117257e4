// docs/configuration.md against the schemas of the programs.
import { HelpRequested, loadConfig, type Setting, type Settings } from '@tutti/service';
import { differences } from './compare.js';
import { codeSpans, section, tableRows } from './markdown.js';

export interface Program {
  /** The section of the page that is about it. */
  readonly title: string;
  readonly settings: Settings;
  /** What must hold between the settings, in the program's words. */
  readonly relations: readonly string[];
}

const COMMON = 'Settings of every role';
const PRESTO = 'From Presto';
const BETWEEN_PROCESSES = 'What no process can check';

/** All that the page says wrongly or not at all. */
export function settingProblems(page: string, programs: readonly Program[]): string[] {
  const common = documentedSettings(page, COMMON);
  const problems: string[] = [];
  const all = new Set<string>();
  for (const { title, settings, relations } of programs) {
    const text = section(page, title);
    if (text === undefined) return [`there is no section "${title}"`];
    const facts = realSettings(title, settings);
    for (const path of facts.keys()) all.add(path);
    problems.push(...differences(`${title}: setting`, new Map([...common, ...documentedSettings(page, title)]), facts));
    problems.push(...differences(`${title}: relation`, documentedRelations(text), asMap(relations)));
  }
  problems.push(...choiceProblems(page, programs));
  return [...problems, ...prestoProblems(page, all), ...mentionProblems(section(page, BETWEEN_PROCESSES) ?? '', all)];
}

function documentedSettings(page: string, title: string): Map<string, string> {
  const rows = tableRows(section(page, title) ?? '');
  return new Map(rows.map(([path = '', env = '', fallback = '']) => [bare(path), facts(bare(env), bare(fallback))]));
}

/** Name in the environment and default, as the program's own --help tells them, by path. */
function realSettings(program: string, settings: Settings): Map<string, string> {
  const rows = [...helpOf(program, settings).matchAll(/^--\S+\s{2,}(\S+)\s{2,}(TUTTI_\S+)\s/gm)];
  const paths = leaves(settings).map(({ path }) => path);
  if (rows.length !== paths.length) throw new Error(`--help lists ${rows.length} of ${paths.length} settings`);
  return new Map(paths.map((path, index) => [path, facts(rows[index]?.[2] ?? '', rows[index]?.[1] ?? '')]));
}

function helpOf(program: string, settings: Settings): string {
  try {
    loadConfig(settings, { argv: ['--help'], env: {}, program });
  } catch (error) {
    if (error instanceof HelpRequested) return error.text;
    throw error;
  }
  throw new Error('--help printed nothing');
}

interface Leaf {
  readonly path: string;
  readonly setting: Setting<unknown>;
}

const leaves = (settings: Settings, prefix = ''): Leaf[] =>
  Object.entries(settings).flatMap(([name, entry]) =>
    entry.kind === 'setting'
      ? [{ path: prefix + name, setting: entry as Setting<unknown> }]
      : leaves(entry as Settings, `${prefix}${name}.`),
  );

const documentedRelations = (text: string): Map<string, string> =>
  asMap([...text.matchAll(/^- `(.*)`$/gm)].map(([, relation = '']) => relation));

/** A setting that takes one of a few words has all of them in its row. */
function choiceProblems(page: string, programs: readonly Program[]): string[] {
  const rows = [COMMON, ...programs.map(({ title }) => title)].flatMap((title) =>
    tableRows(section(page, title) ?? ''),
  );
  const settings = new Map(programs.flatMap((program) => leaves(program.settings)).map((leaf) => [leaf.path, leaf]));
  return [...settings.values()].flatMap(({ path, setting: { format } }) => {
    if (typeof format === 'string') return [];
    const row = rows.find(([cell = '']) => bare(cell) === path) ?? [];
    const told = codeSpans(row.slice(2).join(' '));
    return format.filter((word) => !told.includes(word)).map((word) => `${path}: the choice ${word} is not documented`);
  });
}

/** Each row of Presto's table names settings of ours, or says why there is none. */
function prestoProblems(page: string, known: ReadonlySet<string>): string[] {
  const rows = tableRows(section(page, PRESTO) ?? '');
  if (rows.length === 0) return [`there is no table in "${PRESTO}"`];
  return rows.flatMap(([presto = '', , here = '', note = '']) => {
    const names = codeSpans(here);
    if (names.length === 0) {
      return here === 'none' && /^no counterpart (because|yet)/.test(note) ? [] : [`${presto}: says not why`];
    }
    return names.filter((name) => !known.has(name)).map((name) => `${presto}: there is no setting ${name}`);
  });
}

/** `task.maxTasks` and `nodes.*` in a text are settings, or the beginning of some. */
function mentionProblems(text: string, known: ReadonlySet<string>): string[] {
  const names = codeSpans(text).filter((code) => /^[a-z]\w*\.(\w+|\*)$/.test(code));
  const exists = (name: string) => [...known].some((path) => path === name || `${path.split('.')[0]}.*` === name);
  if (names.length === 0) return [`"${BETWEEN_PROCESSES}" names no setting`];
  return names.filter((name) => !exists(name)).map((name) => `"${BETWEEN_PROCESSES}": there is no setting ${name}`);
}

const asMap = (names: readonly string[]): Map<string, string> => new Map(names.map((name) => [name, '']));
const bare = (cell: string): string => cell.replaceAll('`', '');
const facts = (env: string, fallback: string): string => `${env}, default ${fallback}`;
