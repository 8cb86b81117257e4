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
    if (format === 'json') await printJson(terminal, { file, isGood: false, problems });
    else
      await terminal.write(
        problemLines(file, problems)
          .map((line) => `${escapeControls(line)}\n`)
          .join(''),
      );
    terminal.writeError(`${fileName(file)} is wrong: ${formatCount(problems.length, 'problem')}\n`);
    throw new FailedQuietlyError('the file is wrong');
  }
  const { config, version } = read.ok;
  const groups = countGroups(config.rootGroups);
  const selectors = config.selectors.length;
  if (format === 'json') return printJson(terminal, { file, isGood: true, problems: [], groups, selectors, version });
  const counts = `${formatCount(groups, 'group')}, ${formatCount(selectors, 'selector')}`;
  await terminal.write(`${escapeControls(fileName(file))} is good: ${counts}, version ${version}\n`);
}

const countGroups = (specs: readonly GroupSpec[]): number =>
  specs.reduce((count, { subGroups }) => count + 1 + countGroups(subGroups), 0);
