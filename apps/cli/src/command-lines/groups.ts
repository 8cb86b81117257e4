import { type Command, InvalidArgumentError, Option } from 'commander';
import { nearestName } from '@tutti/base';
import { QUERY_TYPES } from '@tutti/resource-groups';
import { groupsCommand } from '../commands/groups.js';
import { validateGroupsCommand } from '../commands/validate-groups.js';
import { writeOffCommand } from '../commands/write-off.js';
import { whichGroupCommand } from '../commands/which-group.js';
import { EXAMPLES } from '../help-texts.js';
import type { Terminal } from '../terminal.js';
import {
  type IdentityFlags,
  identityOf,
  identityOptions,
  type ListFlags,
  listOutput,
  type Run,
  withOptions,
} from './flags.js';

/** Adds `tutti groups` and what is below it. */
export function addGroups(program: Command, terminal: Terminal, run: Run): void {
  const groups = program
    .command('groups')
    .summary('show the resource groups, check their file')
    .description(
      'Lists the resource groups of the cluster: what runs and waits in them, and their limits. With a group: that one ' +
        'in full, and those below it. Warns when nodes do not keep to the same file.',
    )
    .argument('[group]', 'path of a group, for example global.adhoc')
    .addOption(listOutput())
    .addHelpText('after', EXAMPLES.groups)
    .action((group: string | undefined, flags: ListFlags) =>
      run((context) => groupsCommand({ group: group ?? '', format: flags.output }, context)),
    );
  groups
    .command('validate')
    .summary('check a file of resource groups, without a cluster')
    .description(
      'Checks a file of resource groups as a node does, without a cluster. The exit code is 1 when anything is wrong.',
    )
    .argument('<file>', 'the file; - is standard input')
    .addOption(listOutput())
    .addHelpText('after', EXAMPLES.validate)
    .action((file: string, _flags: ListFlags, command: Command) =>
      run((context) => validateGroupsCommand({ file, format: command.optsWithGlobals<ListFlags>().output }, context)),
    );
  groups
    .command('write-off')
    .summary('give back the slots of a coordinator that is gone')
    .description(
      'Vouches that nothing runs any more for a coordinator that is gone: slots that are booked for it, and that no worker ' +
        'could show to be free, are dealt again. Refused while the coordinator is heard.',
    )
    .argument('<coordinator>', 'node id of the coordinator')
    .addOption(listOutput())
    .addHelpText('after', EXAMPLES.writeOff)
    .action((coordinator: string, _flags: ListFlags, command: Command) =>
      run((context) => writeOffCommand({ coordinator, format: command.optsWithGlobals<ListFlags>().output }, context)),
    );
  addWhich(groups, terminal, run);
}

interface WhichFlags extends IdentityFlags, ListFlags {
  queryType: string;
  file?: string;
}

function addWhich(groups: Command, terminal: Terminal, run: Run): void {
  const command = groups
    .command('which')
    .summary('tell which group a query would go to, and why')
    .description(
      'Tells which group a query would go to, by which selector, and why not by those before it. Nothing is run. The ' +
        'exit code is 1 when it would go to none.',
    );
  withOptions(command, identityOptions(terminal))
    .addOption(new Option('--query-type <name>', 'kind of statement').argParser(parseQueryType).default('SELECT'))
    .option('-f, --file <path>', 'ask this file instead of the cluster; - is standard input')
    .addOption(listOutput())
    .addHelpText('after', EXAMPLES.which)
    .action((flags: WhichFlags, self: Command) =>
      run((context) =>
        whichGroupCommand(
          {
            identity: identityOf(flags),
            queryType: flags.queryType,
            file: flags.file,
            format: self.optsWithGlobals<ListFlags>().output,
          },
          context,
        ),
      ),
    );
}

function parseQueryType(text: string): string {
  const wanted = text.trim().toUpperCase().replaceAll('-', '_');
  if (QUERY_TYPES.some((type) => type === wanted)) return wanted;
  const nearest = nearestName(wanted, QUERY_TYPES);
  throw new InvalidArgumentError(
    nearest === undefined ? `It is one of ${QUERY_TYPES.join(', ')}.` : `Did you mean ${nearest}?`,
  );
}
