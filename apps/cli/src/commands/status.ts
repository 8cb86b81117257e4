import { createClient } from '@connectrpc/connect';
import { formatSize } from '@tutti/base';
import { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { type ClusterStatus, judgeCluster } from '../cluster-status.js';
import { FailedQuietlyError } from '../failures.js';
import { decodeNodeGroups, type NodeGroupsView } from '../group-codec.js';
import { decodeCluster, type NodeView } from '../node-codec.js';
import { renderRecord } from '../output/render-table.js';
import type { Styles } from '../output/styles.js';
import { escapeControls } from '../output/text-width.js';
import { type Context, type ListFormat, printJson } from './context.js';
import { listNodes } from './nodes.js';

/** Tells whether the cluster can run queries; fails when it cannot. */
export async function statusCommand(format: ListFormat, context: Context): Promise<void> {
  const { terminal, connection } = context;
  const cluster = await connection.call((transport, options) =>
    createClient(ClusterService, transport).getCluster({}, options),
  );
  const status = judgeCluster(decodeCluster(cluster), await listNodes(context), await listGroupConfigs(context));
  if (format === 'json') await printJson(terminal, status);
  else await terminal.write(renderStatus(status, terminal.stdoutStyles));
  if (status.verdict === 'down') throw new FailedQuietlyError('the cluster is down');
}

/** The resource groups that each node keeps to: they come with the first page of the groups. */
async function listGroupConfigs({ connection }: Context): Promise<NodeGroupsView[]> {
  const { configs } = await connection.call((transport, options) =>
    createClient(ResourceGroupService, transport).listResourceGroups({ pageSize: 1 }, options),
  );
  return configs.map(decodeNodeGroups);
}

/** The sums, an entry per line, and what is wrong. */
export function renderStatus({ verdict, problems, cluster, nodes }: ClusterStatus, styles: Styles): string {
  const paint = { ok: styles.green, degraded: styles.yellow, down: styles.red }[verdict];
  const active = (count: number, role: string) => `${count} active${known(count, role, nodes)}`;
  const used = `${formatSize(cluster.memoryUsedBytes)} used, ${formatSize(cluster.memoryReservedBytes)} reserved`;
  const record = renderRecord(
    [
      ['cluster', paint(verdict)],
      ['coordinators', active(cluster.activeCoordinators, 'COORDINATOR')],
      ['resource managers', active(cluster.activeResourceManagers, 'RESOURCE_MANAGER')],
      ['workers', active(cluster.activeWorkers, 'WORKER')],
      [
        'queries',
        `${cluster.runningQueries} running, ${cluster.queuedQueries} queued${larger(cluster.adjustedQueueSize)}`,
      ],
      ['tasks', `${cluster.runningTasks} running`],
      ['memory', `${used} of ${formatSize(cluster.memoryLimitBytes)}`],
      ['seen by', `${escapeControls(cluster.resourceManager)}${cluster.synced ? '' : ' (starting)'}`],
    ],
    styles,
  );
  return record + problems.map((problem) => `${paint('!')} ${escapeControls(problem)}\n`).join('');
}

function known(active: number, role: string, nodes: readonly NodeView[]): string {
  const count = nodes.filter((node) => node.role === role).length;
  return count > active ? ` of ${count}` : '';
}

const larger = (count: number): string => (count === 0 ? '' : `, ${count} of them could run on a larger cluster`);
