import { createClient } from '@connectrpc/connect';
import { formatSize } from '@tutti/base';
import { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { decodeNode, type NodeView } from '../node-codec.js';
import { formatElapsed } from '../output/quantities.js';
import type { Styles } from '../output/styles.js';
import { renderTable } from '../output/render-table.js';
import { type Context, type ListFormat, printJson } from './context.js';

/** Lists the nodes of the cluster with what they last reported. */
export async function nodesCommand(format: ListFormat, context: Context): Promise<void> {
  const { terminal } = context;
  const nodes = await listNodes(context);
  if (format === 'json') return printJson(terminal, nodes);
  await terminal.write(renderNodes(nodes, terminal.stdoutStyles));
}

/** The nodes, by role and id. */
export async function listNodes({ connection }: Context): Promise<NodeView[]> {
  const { nodes } = await connection.call((transport, options) =>
    createClient(ClusterService, transport).listNodes({}, options),
  );
  return nodes.map(decodeNode);
}

/** The nodes as a table. */
export function renderNodes(nodes: readonly NodeView[], styles: Styles): string {
  const columns = [
    { title: 'node' },
    { title: 'role' },
    { title: 'state' },
    { title: 'heard', right: true },
    { title: 'tasks', right: true },
    { title: 'memory', right: true },
    { title: 'cpu', right: true },
    { title: 'rss', right: true },
    { title: 'edge address' },
    { title: 'version' },
  ];
  return renderTable(columns, nodes.map(nodeCells), styles);
}

/** The name of a role for people: "resource manager". */
export const roleName = (role: string): string => role.toLowerCase().replaceAll('_', ' ');

function nodeCells(node: NodeView): string[] {
  const { work } = node;
  return [
    node.nodeId,
    roleName(node.role),
    node.state.toLowerCase(),
    node.ageMs === null ? '' : `${formatElapsed(node.ageMs)} ago`,
    work === null ? '' : `${work.runningTasks} of ${work.tasksMax}`,
    work === null ? '' : `${formatSize(work.memoryUsedBytes)} of ${formatSize(work.memoryLimitBytes)}`,
    node.cpuCores === 0 ? '' : `${node.cpuUsedCores.toFixed(2)} of ${node.cpuCores}`,
    node.rssBytes === 0 ? '' : formatSize(node.rssBytes),
    node.edgeAddress,
    node.version,
  ];
}
