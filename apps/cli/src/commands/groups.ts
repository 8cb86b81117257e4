import { createClient } from '@connectrpc/connect';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { type ResourceGroup, ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { renderTable } from '../output/render-table.js';
import type { Styles } from '../output/styles.js';
import { type Context, type ListFormat, printJson } from './context.js';

/** One resource group, summed over the cluster. This is also what `-o json` prints. */
export interface GroupView {
  readonly group: string;
  readonly running: number;
  readonly hardConcurrencyLimit: number;
  readonly queued: number;
  readonly maxQueued: number;
  readonly coordinators: readonly {
    readonly coordinator: string;
    readonly running: number;
    readonly queued: number;
    readonly ageMs: number;
  }[];
}

const PAGE_SIZE = 1_000;
const GROUPS_MAX = 100_000;

/** Lists the resource groups in use, with what each coordinator runs and waits for in them. */
export async function groupsCommand(format: ListFormat, { terminal, connection }: Context): Promise<void> {
  const groups: GroupView[] = [];
  let pageToken = '';
  do {
    const page = await connection.call((transport, options) =>
      createClient(ResourceGroupService, transport).listResourceGroups({ pageSize: PAGE_SIZE, pageToken }, options),
    );
    groups.push(...page.groups.map(decodeGroup));
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && groups.length < GROUPS_MAX);
  if (format === 'json') return printJson(terminal, groups);
  await terminal.write(renderGroups(groups, terminal.stdoutStyles));
}

function decodeGroup(group: ResourceGroup): GroupView {
  return {
    group: group.group,
    running: group.running,
    hardConcurrencyLimit: group.hardConcurrencyLimit,
    queued: group.queued,
    maxQueued: group.maxQueued,
    coordinators: group.coordinators.map((share) => ({
      coordinator: share.nodeId,
      running: share.running,
      queued: share.queued,
      ageMs: share.age === undefined ? 0 : durationMs(share.age),
    })),
  };
}

/** The groups as a table. */
export function renderGroups(groups: readonly GroupView[], styles: Styles): string {
  const columns = [
    { title: 'group' },
    { title: 'running', right: true },
    { title: 'limit', right: true },
    { title: 'queued', right: true },
    { title: 'max queued', right: true },
    { title: 'by coordinator (running + queued)' },
  ];
  const rows = groups.map((group) => [
    group.group,
    String(group.running),
    String(group.hardConcurrencyLimit),
    String(group.queued),
    String(group.maxQueued),
    group.coordinators.map((share) => `${share.coordinator} ${share.running}+${share.queued}`).join(', '),
  ]);
  return renderTable(columns, rows, styles);
}
