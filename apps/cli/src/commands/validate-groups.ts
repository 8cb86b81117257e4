import { type GroupSpec } from '@tutti/resource-groups';
import { FailedQuietlyError } from '../failures.js';
import { fileName, problemLines, readGroupsFile } from '../groups-file.js';
import { formatCount } from '../output/quantities.js';
import { escapeControls } from '../output/text-width.js';
import { type Context, type ListFormat, printJson } from './context.js';

/** Which file to check. */
export interface ValidateGroupsOptions {
  /** A path, or "-" for standard input. */
  readonly file: string;
  readonly format: ListFormat;
}

/** Checks a file of resource groups as a node would, without one; fails when anything is wrong with it. */
export async function validateGroupsCommand({ file, format }: ValidateGroupsOptions, context: Context): Promise<void> {
  const { terminal } = context;
  const read = await readGroupsFile(file, context);
  if ('problems' in read) {
    const { problems } = read;
    if (format === 'json') await printJson(terminal, { file, isGood: false, problems, warnings: [] });
    else await terminal.write(linesOf(problemLines(file, problems)));
    terminal.writeError(`${fileName(file)} is wrong: ${formatCount(problems.length, 'problem')}\n`);
    throw new FailedQuietlyError('the file is wrong');
  }
  const { warnings } = read;
  const { config, version } = read.ok;
  const groups = countGroups(config.rootGroups);
  const selectors = config.selectors.length;
  if (format === 'json') {
    return printJson(terminal, { file, isGood: true, problems: [], warnings, groups, selectors, version });
  }
  const counts = `${formatCount(groups, 'group')}, ${formatCount(selectors, 'selector')}`;
  const told = problemLines(file, warnings, 'warning: ');
  await terminal.write(linesOf([...told, `${fileName(file)} is good: ${counts}, version ${version}`]));
}

const linesOf = (lines: readonly string[]): string => lines.map((line) => `${escapeControls(line)}\n`).join('');

const countGroups = (specs: readonly GroupSpec[]): number =>
  specs.reduce((count, { subGroups }) => count + 1 + countGroups(subGroups), 0);
