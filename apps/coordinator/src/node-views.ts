// What the parts of a coordinator see of the node directory.
import type { DirectoryNode, NodeDirectory } from '@tutti/discovery';
import { aborted } from '@tutti/service';
import type { WorkerChoice } from './core/placement.js';
import type { PeerDirectory } from './peers.js';
import type { Workers } from './workers.js';

/** The part of NodeDirectory that a coordinator uses. */
export type Directory = Pick<
  NodeDirectory,
  'nodes' | 'activeWorkers' | 'byQuerySuffix' | 'get' | 'onChange' | 'resourceManagers'
>;

export function workersIn(directory: Directory): Workers {
  const newestLife = (id: string) => directory.nodes().find(({ nodeId }) => nodeId === id);
  return {
    active: () => directory.activeWorkers().map(choiceOf),
    // A worker that nobody hears may still be heard by us: only a new life proves that the old one is over.
    isGone: ({ nodeId, incarnation }) => (newestLife(nodeId)?.incarnation ?? 0) > incarnation,
    hasLeft: ({ nodeId, incarnation }) => {
      const newest = newestLife(nodeId);
      return newest !== undefined && (newest.incarnation > incarnation || newest.announcedState === 'GONE');
    },
    isForgotten: ({ nodeId }) => (newestLife(nodeId)?.state ?? 'GONE') === 'GONE',
    onChange: (listener) => directory.onChange(listener),
  };
}

const choiceOf = ({ nodeId, incarnation, clusterAddress, edgeAddress, load }: DirectoryNode): WorkerChoice => ({
  nodeId,
  incarnation,
  address: clusterAddress,
  edgeAddress,
  runningTasks: load?.runningTasks ?? 0,
  tasksMax: load?.tasksMax ?? 1,
  memoryLimitBytes: load?.memoryLimitBytes ?? 0,
  reportSequence: load?.sequence ?? 0,
});

/** What all active workers together have. */
export interface Capacity {
  readonly activeWorkers: number;
  readonly memoryBytes: number;
}

/** Tells what the active workers have, at once and at each change of it. */
export class CapacityWatch {
  private told: Capacity | undefined;

  constructor(
    private readonly directory: Pick<Directory, 'activeWorkers' | 'onChange'>,
    private readonly tell: (capacity: Capacity) => void,
  ) {
    this.look();
  }

  /** Watches until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = this.directory.onChange(() => this.look());
    await aborted(signal);
    stop();
  }

  private look(): void {
    const workers = this.directory.activeWorkers();
    const memoryBytes = workers.reduce((sum, { load }) => sum + (load?.memoryLimitBytes ?? 0), 0);
    const now = { activeWorkers: workers.length, memoryBytes };
    if (now.activeWorkers === this.told?.activeWorkers && memoryBytes === this.told.memoryBytes) return;
    this.told = now;
    this.tell(now);
  }
}

export function peersIn(directory: Directory, ownId: string): PeerDirectory {
  return {
    byQuerySuffix: (suffix) => directory.byQuerySuffix(suffix),
    otherCoordinators: () =>
      directory
        .nodes()
        .filter(({ role, nodeId, state }) => role === 'coordinator' && nodeId !== ownId && state !== 'GONE'),
    resourceManagerAddress: (id) =>
      directory
        .nodes()
        .find(({ role, nodeId, state }) => role === 'resourceManager' && nodeId === id && state !== 'GONE')
        ?.clusterAddress,
    allResourceManagers: () =>
      directory.nodes().filter(({ role, state }) => role === 'resourceManager' && state !== 'GONE'),
    resourceManagers: () => directory.resourceManagers(),
  };
}
