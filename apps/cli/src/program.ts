import { Command, CommanderError } from 'commander';
import type { Clock } from '@tutti/base';
import { PROGRAM_VERSION } from '@tutti/service';
import { type ListFlags, listOutput, type Run } from './command-lines/flags.js';
import { addGroups } from './command-lines/groups.js';
import { addQueries } from './command-lines/queries.js';
import { addSql } from './command-lines/sql.js';
import { nodesCommand } from './commands/nodes.js';
import { statusCommand } from './commands/status.js';
import { Connection, parseServers, type ServerTransport } from './connection.js';
import { EXIT } from './failures.js';
import { EXAMPLES } from './help-texts.js';
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
  if (argv.includes('groups')) return 'A file is checked with: tutti groups validate FILE\n';
  return argv.includes('queries') ? 'One query is shown with: tutti queries show QUERY_ID\n' : '';
}

const DEFAULT_SERVER = 'http://127.0.0.1:8080';

function buildProgram(options: ProgramOptions): Command {
  const { terminal } = options;
  const { env } = terminal;
  const program: Command = new Command('tutti')
    .description('Runs SQL on a Tutti cluster, and shows what the cluster does.')
    .version(PROGRAM_VERSION)
    .option(
      '--server <url>',
      'coordinator to ask; several with commas between: the next when one refuses (env TUTTI_SERVER)',
      env['TUTTI_SERVER'] || DEFAULT_SERVER,
    )
    .exitOverride()
    // A command that takes an option of the command above it lists it as its own.
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) => (command === program ? [] : [...program.options]),
    })
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

  const run: Run = async (action) => {
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
  addGroups(program, terminal, run);
  addQueries(program, run);
  return program;
}

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
}
