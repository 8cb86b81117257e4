import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ProgressKind } from '../commands/run-statement.js';
import { sqlCommand } from '../commands/sql.js';
import { EXAMPLES } from '../help-texts.js';
import { RESULT_FORMATS, type ResultFormatName } from '../output/result-format.js';
import type { Terminal } from '../terminal.js';
import {
  type IdentityFlags,
  identityOf,
  identityOptions,
  parseCount,
  parseDuration,
  parseSize,
  type Run,
  withOptions,
} from './flags.js';

interface SqlFlags extends IdentityFlags {
  file?: string;
  catalog?: string;
  priority?: number;
  timeLimit?: number;
  cpuTimeLimit?: number;
  memoryLimit?: number;
  output?: ResultFormatName;
  outputFormat?: ResultFormatName;
  outputFile?: string;
  session: Readonly<Record<string, string>>;
  header: boolean;
  progress: 'auto' | 'on' | 'off';
  ignoreErrors: boolean;
}

/** Adds `tutti sql`. */
export function addSql(program: Command, terminal: Terminal, run: Run): void {
  const command = program
    .command('sql')
    .summary('run SQL statements and print their rows')
    .description('Runs SQL statements, given as an argument, in a file or on standard input, and prints their rows.')
    .argument('[statement]', 'the SQL, in quotes; several statements with semicolons between run one after another')
    .option('-f, --file <path>', 'read the statements from a file; - is standard input')
    .addOption(
      formatOption('-o, --output <format>', 'table on a terminal, csv elsewhere (EXPLAIN: plain lines), unless given'),
    )
    .addOption(formatOption('--output-format <format>', 'the same, as other clients call it').hideHelp())
    .option('--output-file <path>', 'write the results into a file, which appears when they are complete')
    .option('--no-header', 'leave the column names out of table and csv')
    .option('--catalog <name>', "catalog of unqualified table names (default: the coordinator's)")
    .addOption(
      new Option('--session <name=value>', 'a setting of the session; may be repeated (SHOW SESSION lists them)')
        .argParser(addSetting)
        .default({}, 'none'),
    );
  withOptions(command, identityOptions(terminal))
    .option('--priority <number>', 'higher goes first in resource groups that go by priority', parseCount)
    .option(
      '--time-limit <duration>',
      'the server ends a query that takes longer, for example 30s or 5m',
      parseDuration,
    )
    .option('--cpu-time-limit <duration>', 'the server ends a query that uses more CPU time', parseDuration)
    .option('--memory-limit <size>', 'the most memory that a query may hold on workers, for example 2GB', parseSize)
    .addOption(
      new Option('--progress <when>', 'show state, rows and why a query waits on standard error')
        .choices(['auto', 'on', 'off'])
        .default('auto', 'auto: when it is a terminal'),
    )
    .option('--ignore-errors', 'go on with the next statement when one fails; the exit code is still 1', false)
    .addHelpText('after', EXAMPLES.sql)
    .action((statement: string | undefined, flags: SqlFlags) =>
      run((context) =>
        sqlCommand(
          { statement, file: flags.file, ignoreErrors: flags.ignoreErrors },
          {
            identity: identityOf(flags),
            catalog: flags.catalog ?? '',
            priority: flags.priority,
            timeLimitMs: flags.timeLimit,
            cpuTimeLimitMs: flags.cpuTimeLimit,
            memoryLimitBytes: flags.memoryLimit,
            properties: flags.session,
            format: formatOf(flags, terminal),
            plainPlans: isFormatOpen(flags) && formatOf(flags, terminal) === 'csv',
            outputFile: flags.outputFile,
            header: flags.header,
            progress: progressOf(flags, terminal),
          },
          context,
        ),
      ),
    );
}

/**
 * How far the progress line goes. It must not be drawn between rows: neither on the terminal, nor into what the reader
 * of a pipe (head, less, jq) may be printing on the same one.
 */
function progressOf({ progress: when, outputFile }: SqlFlags, terminal: Terminal): ProgressKind {
  if (when === 'off' || (when === 'auto' && !terminal.stderrIsTerminal)) return 'none';
  if (outputFile !== undefined) return 'always';
  if (terminal.stdoutIsTerminal) return 'untilRows';
  return when === 'on' || terminal.stdoutIsFile ? 'always' : 'untilRowsNoSummary';
}

const isFormatOpen = ({ output, outputFormat }: SqlFlags): boolean => (output ?? outputFormat) === undefined;

function formatOf({ output, outputFormat, outputFile }: SqlFlags, terminal: Terminal): ResultFormatName {
  return output ?? outputFormat ?? (terminal.stdoutIsTerminal && outputFile === undefined ? 'table' : 'csv');
}

const formatOption = (flags: string, description: string): Option =>
  new Option(flags, description).choices(RESULT_FORMATS).argParser((text) => {
    const format = RESULT_FORMATS.find((name) => name === text.toLowerCase());
    if (format === undefined) throw new InvalidArgumentError(`Allowed choices are ${RESULT_FORMATS.join(', ')}.`);
    return format;
  });

/** What the settings are called and may be is for the server to say. */
function addSetting(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(0, equals)).trim().toLowerCase();
  if (name === '') throw new InvalidArgumentError('Write name=value, for example distribution=single.');
  return { ...before, [name]: text.slice(equals + 1) };
}
