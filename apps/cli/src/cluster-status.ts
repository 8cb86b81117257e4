// Whether a cluster is fit to run queries, and what is wrong with it. Pure.
import { groupConfigWarnings } from './group-config-warnings.js';
import type { NodeGroupsView } from './group-codec.js';
import { formatElapsed } from './output/quantities.js';
import type { ClusterSums, NodeView } from './node-codec.js';

/** The verdict on a cluster. This is also what `-o json` prints. */
export interface ClusterStatus {
  /** `ok`; `degraded`: queries run, but not all is well; `down`: queries cannot run, or limits are not watched. */
  readonly verdict: 'ok' | 'degraded' | 'down';
  /** What is wrong, one sentence each. */
  readonly problems: readonly string[];
  readonly cluster: ClusterSums;
  readonly nodes: readonly NodeView[];
  /** The resource groups that each coordinator and resource manager keeps to. */
  readonly groupConfigs: readonly NodeGroupsView[];
}

/** Judges a cluster by its sums, its nodes, and the resource groups that these keep to. */
export function judgeCluster(
  cluster: ClusterSums,
  nodes: readonly NodeView[],
  groupConfigs: readonly NodeGroupsView[],
): ClusterStatus {
  const down: string[] = [];
  if (cluster.activeWorkers === 0) down.push('there is no active worker: queries wait until one comes');
  if (cluster.activeCoordinators === 0) down.push('there is no active coordinator: nobody accepts statements');
  if (!cluster.synced)
    down.push(`resource manager ${cluster.resourceManager} is starting: it has not heard every node that it knows of`);
  const degraded = [
    ...nodes.filter((node) => node.state !== 'ACTIVE').map(nodeProblem),
    ...groupConfigWarnings(groupConfigs).map(({ summary }) => `${summary}; more by: tutti groups`),
  ];
  const verdict = down.length > 0 ? 'down' : degraded.length > 0 ? 'degraded' : 'ok';
  return { verdict, problems: [...down, ...degraded], cluster, nodes, groupConfigs };
}

function nodeProblem(node: NodeView): string {
  const name = `${node.role.toLowerCase().replaceAll('_', ' ')} ${node.nodeId}`;
  const heard = node.ageMs === null ? '' : `, last heard ${formatElapsed(node.ageMs)} ago`;
  switch (node.state) {
    case 'DRAINING':
      return `${name} is draining: it finishes what it holds and takes nothing new`;
    case 'SUSPECT':
      return `${name} is suspect${heard}: it gets nothing new`;
    case 'GONE':
      return `${name} is gone${heard}`;
    default:
      return `${name} is in no known state (${node.state.toLowerCase()})`;
  }
}
