import type { GroupConfig } from '../group-config.js';
import { parseGroupConfig } from '../group-config-decoder.js';
import { type Selection, selectGroup } from '../group-selector.js';
import type { SelectionCriteria } from '../selector-match.js';

const textOf = (file: unknown): string => (typeof file === 'string' ? file : JSON.stringify(file));

/** The problems of a file, given as text or as what JSON would make of it. */
export function problemsOf(file: unknown): readonly string[] {
  const parsed = parseGroupConfig(textOf(file));
  return 'problems' in parsed ? parsed.problems : [];
}

/** The problems without their lines: for files that have only one. */
export const placelessProblemsOf = (file: unknown): string[] =>
  problemsOf(file).map((problem) => problem.replace(/^line \d+:\d+: /, '').replace(/ at line \d+:\d+/, ''));

/** What a file that is right will hardly do as it was meant. */
export function warningsOf(file: unknown): readonly string[] {
  const parsed = parseGroupConfig(textOf(file));
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  return parsed.warnings;
}

/** A file that is right. */
export function configOf(file: unknown): GroupConfig {
  const parsed = parseGroupConfig(textOf(file));
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  return parsed.ok;
}

/** Where a query goes: the path of its group, undefined when no selector takes it, or why its group cannot be made. */
export function groupOf(config: GroupConfig, criteria: SelectionCriteria): string | undefined {
  const selection: Selection = selectGroup(config, criteria);
  if (selection.kind === 'selected') return selection.target.path;
  return selection.kind === 'invalid' ? selection.message : undefined;
}

/** A group with small limits. */
export const group = (name: string, more: object = {}): object => ({
  name,
  hardConcurrencyLimit: 1,
  maxQueued: 10,
  ...more,
});
