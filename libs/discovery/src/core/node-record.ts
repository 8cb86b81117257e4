import type { NodeId } from '@tutti/base';

/** What a node is. */
export type NodeRole = 'coordinator' | 'resourceManager' | 'worker';

/** What a node says of itself: takes work, finishes what it holds, or has left for good. */
export type AnnouncedState = 'ACTIVE' | 'DRAINING' | 'GONE';

/** What a resource manager makes of it: also that it has not been heard for too long. */
export type NodeState = AnnouncedState | 'SUSPECT';

/** A node's own record of itself. Only the node changes it; everybody else passes it on. */
export interface NodeRecord {
  readonly nodeId: NodeId;
  readonly role: NodeRole;
  /** Unix milliseconds at process start, on the node's own clock: orders a restarted node after its former self. */
  readonly incarnation: number;
  /** Grows with each change that the node makes to its record. */
  readonly version: number;
  readonly state: AnnouncedState;
  /** Host and port of the cluster port, as other nodes reach it. */
  readonly clusterAddress: string;
  /** Host and port of the edge port, as other nodes reach it. */
  readonly edgeAddress: string;
  /** The last part of the ids of the queries that this coordinator owns; empty for other roles. */
  readonly querySuffix: string;
  readonly programVersion: string;
}

/** A record with the time since its node was heard, as one resource manager tells another. */
export interface WitnessedRecord {
  readonly record: NodeRecord;
  readonly ageMs: number;
}

/** How busy a worker is, by its newest report. */
export interface NodeLoad {
  readonly runningTasks: number;
  readonly tasksMax: number;
  readonly memoryReservedBytes: number;
  readonly memoryLimitBytes: number;
  /** Number of the report that this was taken from: the greater one is newer. */
  readonly sequence: number;
}

/** One node as a resource manager, or several of them together, see it. */
export interface SeenNode extends Omit<NodeRecord, 'state'> {
  /** Whether it takes work. */
  readonly state: NodeState;
  /** What it said of itself. */
  readonly announcedState: AnnouncedState;
  /** Time since it was last heard, when this was made. */
  readonly ageMs: number;
  /** Set for workers that report. */
  readonly load?: NodeLoad;
}

type Ordered = Pick<NodeRecord, 'incarnation' | 'version' | 'clusterAddress'> & { readonly state: NodeState };

/**
 * Above zero when `a` is the newer record of the same node, zero when they are the same record. A node's good-bye is
 * newer than everything else of its incarnation: there is nothing after it. Two processes that have one id and started in
 * the same millisecond are told apart by their addresses.
 */
export function compareRecords(a: Ordered, b: Ordered): number {
  if (a.incarnation !== b.incarnation) return a.incarnation - b.incarnation;
  if (a.clusterAddress !== b.clusterAddress) return compareText(a.clusterAddress, b.clusterAddress);
  if (a.state === 'GONE' || b.state === 'GONE') return Number(a.state === 'GONE') - Number(b.state === 'GONE');
  return a.version - b.version;
}

/** The order of lists: by role, then by id. */
export const byRoleAndId = (a: Pick<NodeRecord, 'role' | 'nodeId'>, b: Pick<NodeRecord, 'role' | 'nodeId'>): number =>
  compareText(a.role, b.role) || compareText(a.nodeId, b.nodeId);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
