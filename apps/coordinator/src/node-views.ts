// What the parts of a coordinator see of the node directory.
import type { DirectoryNode, NodeDirectory } from '@tutti/discovery';
import type { WorkerChoice } from './core/placement.js';
import type { PeerDirectory } from './peers.js';
import type { Workers } from './workers.js';

/** The part of NodeDirectory that a coordinator uses. */
export type Directory = Pick<
  NodeDirectory,
  'nodes' | 'activeWorkers' | 'byQuerySuffix' | 'get' | 'onChange' | 'resourceManagers'
>;

export function workersIn(directory: Directory): Workers {
  return {
    active: () => directory.activeWorkers().map(choiceOf),
    // A worker that nobody hears may still be heard by us: only a new life proves that the old one is over.
    isGone: ({ nodeId, incarnation }) =>
      directory.nodes().some((node) => node.nodeId === nodeId && node.incarnation > incarnation),
    onChange: (listener) => directory.onChange(listener),
  };
}

const choiceOf = ({ nodeId, incarnation, clusterAddress, load }: DirectoryNode): WorkerChoice => ({
  nodeId,
  incarnation,
  address: clusterAddress,
  runningTasks: load?.runningTasks ?? 0,
  tasksMax: load?.tasksMax ?? 1,
  reportSequence: load?.sequence ?? 0,
});

export function peersIn(directory: Directory, ownId: string): PeerDirectory {
  return {
    byQuerySuffix: (suffix) => directory.byQuerySuffix(suffix),
    otherCoordinators: () =>
      directory
        .nodes()
        .filter(({ role, nodeId, state }) => role === 'coordinator' && nodeId !== ownId && state !== 'GONE'),
    resourceManagers: () => directory.resourceManagers(),
  };
}
