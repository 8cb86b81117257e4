import { userInfo } from 'node:os';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { type Clock, parseDurationMs } from '@tutti/base';
import { PROGRAM_VERSION } from '@tutti/service';
import type { Context, ListFormat } from './commands/context.js';
import { groupsCommand } from './commands/groups.js';
import { killCommand } from './commands/kill.js';
import { nodesCommand } from './commands/nodes.js';
import { queriesCommand, showQueryCommand } from './commands/queries.js';
import type { ProgressKind } from './commands/run-statement.js';
import { sqlCommand } from './commands/sql.js';
import { statusCommand } from './commands/status.js';
import { Connection, parseServers, type ServerTransport } from './connection.js';
import { EXIT } from './failures.js';
import { EXAMPLES } from './help-texts.js';
import { RESULT_FORMATS, type ResultFormatName } from './output/result-format.js';
import { QUERY_STATE_NAMES } from './query-codec.js';
import { reportEnd } from './report.js';
import type { Terminal } from './terminal.js';

/** What the program needs of the outside. */
export interface ProgramOptions {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly open: (url: string) => ServerTransport;
  readonly interrupt: AbortSignal;
}

/** Runs one command line (without node and the script) to its end; returns the exit code. */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<number> {
  try {
    await buildProgram(options).parseAsync(argv.map(asOperand), { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      options.terminal.writeError(usageHint(error.code, argv));
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    }
    return reportEnd(error, options.terminal);
  }
}

/** A statement may begin with a comment: an argument such as '-- daily report\nSELECT ...' is no option. */
const asOperand = (argument: string): string => (/^--\s/.test(argument) ? ` ${argument}` : argument);

/** What helps after the mistakes that are made most. */
function usageHint(code: string, argv: readonly string[]): string {
  if (code === 'commander.unknownCommand') return 'SQL is run with: tutti sql "SELECT ..."\n';
  if (code !== 'commander.excessArguments') return '';
  if (argv.includes('sql')) return 'The statement must be one argument: put it in quotes.\n';
  return argv.includes('queries') ? 'One query is shown with: tutti queries show QUERY_ID\n' : '';
}

const DEFAULT_SERVER = 'http://127.0.0.1:8080';

function buildProgram(options: ProgramOptions): Command {
  const { terminal } = options;
  const { env } = terminal;
  const program = new Command('tutti')
    .description('Runs SQL on a Tutti cluster, and shows what the cluster does.')
    .version(PROGRAM_VERSION)
    .option(
      '--server <url>',
      'coordinator to ask; several with commas between: the next when one refuses (env TUTTI_SERVER)',
      env['TUTTI_SERVER'] || DEFAULT_SERVER,
    )
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows what there is)')
    .configureOutput({
      writeOut: (text) => void terminal.write(text).catch(() => undefined),
      writeErr: (text) => terminal.writeError(text),
      getOutHelpWidth: () => terminal.width(),
      getErrHelpWidth: () => terminal.width(),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', EXAMPLES.tutti);

  /** Gives a command's action what it works with, and closes the connections after it. */
  const run = async (action: (context: Context) => Promise<void>): Promise<void> => {
    const { clock, interrupt } = options;
    const urls = parseServers(program.opts<{ server: string }>().server);
    const connection = new Connection({ urls, open: options.open, clock, interrupt });
    try {
      await action({ terminal, connection, clock, interrupt });
    } finally {
      connection.close();
    }
  };
  addSql(program, terminal, run);
  addClusterCommands(program, run);
  addQueryCommands(program, run);
  return program;
}

type Run = (action: (context: Context) => Promise<void>) => Promise<void>;

interface SqlFlags {
  file?: string;
  user: string;
  source: string;
  catalog?: string;
  schema?: string;
  timeLimit?: number;
  output?: ResultFormatName;
  header: boolean;
  progress: 'auto' | 'on' | 'off';
  ignoreErrors: boolean;
}

function addSql(program: Command, terminal: Terminal, run: Run): void {
  program
    .command('sql')
    .summary('run SQL statements and print their rows')
    .description('Runs SQL statements, given as an argument, in a file or on standard input, and prints their rows.')
    .argument('[statement]', 'the SQL, in quotes; several statements with semicolons between run one after another')
    .option('-f, --file <path>', 'read the statements from a file; - is standard input')
    .addOption(
      new Option('-o, --output <format>', 'table on a terminal, csv elsewhere, unless given').choices(RESULT_FORMATS),
    )
    .option('--no-header', 'leave the column names out of table and csv')
    .option('--catalog <name>', "catalog of unqualified table names (default: the coordinator's)")
    .option('--schema <name>', 'schema of unqualified table names (default: main)')
    .option('--user <name>', 'user that asks (env TUTTI_USER)', terminal.env['TUTTI_USER'] || systemUser())
    .option('--source <name>', 'program that asks; resource groups can select by it', 'tutti-cli')
    .option(
      '--time-limit <duration>',
      'the server ends a query that takes longer, for example 30s or 5m',
      parseTimeLimit,
    )
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
            user: flags.user,
            source: flags.source,
            catalog: flags.catalog ?? '',
            schema: flags.schema ?? '',
            timeLimitMs: flags.timeLimit,
            format: flags.output ?? (terminal.stdoutIsTerminal ? 'table' : 'csv'),
            header: flags.header,
            progress: progressOf(flags.progress, terminal),
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
function progressOf(when: SqlFlags['progress'], terminal: Terminal): ProgressKind {
  if (when === 'off' || (when === 'auto' && !terminal.stderrIsTerminal)) return 'none';
  if (terminal.stdoutIsTerminal) return 'untilRows';
  return when === 'on' || terminal.stdoutIsFile ? 'always' : 'untilRowsNoSummary';
}

interface ListFlags {
  output: ListFormat;
}

const listOutput = () =>
  new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table');

function addClusterCommands(program: Command, run: Run): void {
  program
    .command('status')
    .description('Tells whether the cluster can run queries; the exit code is 1 when it cannot.')
    .summary('tell whether the cluster can run queries')
    .addOption(listOutput())
    .addHelpText('after', EXAMPLES.status)
    .action((flags: ListFlags) => run((context) => statusCommand(flags.output, context)));
  program
    .command('nodes')
    .description('Lists the nodes of the cluster with what they last reported.')
    .summary('list the nodes of the cluster')
    .addOption(listOutput())
    .addHelpText('after', EXAMPLES.nodes)
    .action((flags: ListFlags) => run((context) => nodesCommand(flags.output, context)));
  program
    .command('groups')
    .description('Lists the resource groups in use: what runs and waits in them, and their limits.')
    .summary('list the resource groups in use')
    .addOption(listOutput())
    .addHelpText('after', EXAMPLES.groups)
    .action((flags: ListFlags) => run((context) => groupsCommand(flags.output, context)));
}

function addQueryCommands(program: Command, run: Run): void {
  const queries = program
    .command('queries')
    .description('Lists the queries of the whole cluster: live ones first, then the newest that ended.')
    .summary('list the queries of the whole cluster')
    .addOption(listOutput())
    .option('--state <names>', `only these states, with commas between: ${QUERY_STATE_NAMES.join(', ')}`)
    .option('--user <name>', 'only the queries of this user')
    .option('--limit <count>', 'at most this many', parseLimit, 100)
    .addHelpText('after', EXAMPLES.queries)
    .action((flags: { output: ListFormat; state?: string; user?: string; limit: number }) =>
      run((context) => queriesCommand({ state: '', user: '', ...flags, format: flags.output }, context)),
    );
  queries
    .command('show')
    .description('Shows all that is known of one query, and why it waits or failed.')
    .summary('show one query, and why it waits or failed')
    .argument('<query-id>', 'the id, as `tutti queries` prints it')
    .addOption(listOutput())
    .action((queryId: string, _flags: ListFlags, command: Command) =>
      run((context) => showQueryCommand(queryId, command.optsWithGlobals<ListFlags>().output, context)),
    );
  program
    .command('kill')
    .description('Cancels a query, whichever coordinator owns it.')
    .summary('cancel a query')
    .argument('<query-id>', 'the id, as `tutti queries` prints it')
    .option('--reason <text>', 'why; shown to the one who waits for the query')
    .addOption(listOutput())
    .addHelpText('after', EXAMPLES.kill)
    .action((queryId: string, flags: { reason?: string; output: ListFormat }) =>
      run((context) => killCommand({ queryId, reason: flags.reason ?? '', format: flags.output }, context)),
    );
}

function parseTimeLimit(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms <= 0)
    throw new InvalidArgumentError('Write it with a unit, for example 30s, 5m or 500ms.');
  return ms;
}

function parseLimit(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Write a whole number from 1.');
  return count;
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return ''; // A user id without a name, as containers have: the coordinator calls it anonymous.
  }
}
