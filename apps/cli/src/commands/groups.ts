import { createClient } from '@connectrpc/connect';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { groupConfigWarnings } from '../group-config-warnings.js';
import { decodeGroup, decodeNodeGroups, type GroupView, type NodeGroupsView } from '../group-codec.js';
import { renderGroup, renderGroups } from '../output/group-text.js';
import { escapeControls } from '../output/text-width.js';
import type { Terminal } from '../terminal.js';
import { type Context, type ListFormat, printJson } from './context.js';

/** Which groups to list. */
export interface GroupsOptions {
  /** Only this group, in full, and those below it; empty means all. */
  readonly group: string;
  readonly format: ListFormat;
}

/** Lists the resource groups with what runs and waits in them, and warns when nodes do not keep to the same file. */
export async function groupsCommand({ group, format }: GroupsOptions, context: Context): Promise<void> {
  const { terminal } = context;
  const { groups, nodes } = await listGroups(group, context);
  if (format === 'json') await printJson(terminal, groups);
  else if (groups.length === 0) await terminal.write('no resource group is in use\n');
  else if (group === '') await terminal.write(renderGroups(groups, terminal.stdoutStyles));
  else await terminal.write(renderSubtree(groups, terminal));
  warn(nodes, terminal);
}

const PAGE_SIZE = 1_000;
const GROUPS_MAX = 100_000;

/** The groups by path, and what each node keeps to. */
async function listGroups(group: string, { connection }: Context) {
  const groups: GroupView[] = [];
  const nodes: NodeGroupsView[] = [];
  let pageToken = '';
  do {
    const page = await connection.call((transport, options) =>
      createClient(ResourceGroupService, transport).listResourceGroups(
        { pageSize: PAGE_SIZE, pageToken, group },
        options,
      ),
    );
    groups.push(...page.groups.map(decodeGroup));
    nodes.push(...page.configs.map(decodeNodeGroups));
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && groups.length < GROUPS_MAX);
  return { groups, nodes };
}

/** The group itself in full, then those below it as a table. */
function renderSubtree([top, ...below]: readonly GroupView[], { stdoutStyles }: Terminal): string {
  if (top === undefined) return '';
  const table = below.length === 0 ? '' : `\n${renderGroups(below, stdoutStyles)}`;
  return renderGroup(top, stdoutStyles) + table;
}

function warn(nodes: readonly NodeGroupsView[], terminal: Terminal): void {
  for (const { summary, details } of groupConfigWarnings(nodes)) {
    terminal.writeError(`${terminal.stderrStyles.yellow('warning:')} ${escapeControls(summary)}\n`);
    for (const detail of details) terminal.writeError(`  ${escapeControls(detail)}\n`);
  }
}
