import type { Command } from 'commander';
import { killCommand } from '../commands/kill.js';
import { queriesCommand, showQueryCommand } from '../commands/queries.js';
import { whyAllCommand, whyCommand } from '../commands/why.js';
import { UsageError } from '../failures.js';
import { EXAMPLES } from '../help-texts.js';
import { QUERY_STATE_NAMES } from '../query-codec.js';
import { type ListFlags, listOutput, parseCount, type Run } from './flags.js';

const LIMIT_DEFAULT = 100;

interface QueriesFlags extends ListFlags {
  state?: string;
  user?: string;
  group?: string;
  limit: number;
}

/** Adds `tutti queries`, what is below it, and `tutti kill`. */
export function addQueries(program: Command, run: Run): void {
  const queries = program
    .command('queries')
    .description('Lists the queries of the whole cluster: live ones first, then the newest that ended.')
    .summary('list the queries of the whole cluster, tell why they wait')
    .addOption(listOutput())
    .option('--state <names>', `only these states, with commas between: ${QUERY_STATE_NAMES.join(', ')}`)
    .option('--user <name>', 'only the queries of this user')
    .option('--limit <count>', 'at most this many', parseCount, LIMIT_DEFAULT)
    .addHelpText('after', EXAMPLES.queries)
    .action((flags: QueriesFlags) =>
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
  addWhy(queries, run);
  program
    .command('kill')
    .description('Cancels a query, whichever coordinator owns it.')
    .summary('cancel a query')
    .argument('<query-id>', 'the id, as `tutti queries` prints it')
    .option('--reason <text>', 'why; shown to the one who waits for the query')
    .addOption(listOutput())
    .addHelpText('after', EXAMPLES.kill)
    .action((queryId: string, flags: { reason?: string } & ListFlags) =>
      run((context) => killCommand({ queryId, reason: flags.reason ?? '', format: flags.output }, context)),
    );
}

function addWhy(queries: Command, run: Run): void {
  queries
    .command('why')
    .description(
      'Tells why a query waits: which group has no room, what holds its limit, which place the query has, and what ' +
        'would let it start. Without an id: all queries that wait, group by group, the next ones first.',
    )
    .summary('tell why a query waits, or all of them')
    .argument('[query-id]', 'the id, as `tutti queries` prints it')
    .option('--group <path>', 'without an id: only the queries of this group and those below it')
    .option('--user <name>', 'without an id: only the queries of this user')
    .option('--limit <count>', 'without an id: at most this many', parseCount, LIMIT_DEFAULT)
    .addOption(listOutput())
    .addHelpText('after', EXAMPLES.why)
    .action((queryId: string | undefined, _flags: unknown, command: Command) =>
      run((context) => {
        const { output: format, limit, user, group, state } = command.optsWithGlobals<QueriesFlags>();
        if (state !== undefined) throw new UsageError('--state has no meaning here: what waits is shown');
        if (queryId === undefined)
          return whyAllCommand({ format, limit, group: group ?? '', user: user ?? '' }, context);
        if (group !== undefined || user !== undefined)
          throw new UsageError('give either the id of one query, or --group and --user for all that wait');
        return whyCommand(queryId, format, context);
      }),
    );
}
