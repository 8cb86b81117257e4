import type { NodeId } from '@tutti/base';
import type { NodeState, SeenNode } from './node-record.js';
import { byRoleAndId, compareRecords } from './node-record.js';

// The nodes of the cluster, from what several resource managers say. Pure.
//   M1. Of two opinions on a node the one with the newer record counts; on the same record, the livelier one: a node
//       that any resource manager hears is alive. Order and repetition of what they say change nothing.
//   M2. Only a synced resource manager's silence about a node means that the node is gone.
//   M3. While no synced resource manager is connected, the last list stays, and grows with what the others say.

/** What one resource manager last said. */
export interface Opinion {
  readonly nodes: readonly SeenNode[];
  /** Whether it has heard every node that it knows of. */
  readonly synced: boolean;
}

const LIVELINESS: Readonly<Record<NodeState, number>> = { SUSPECT: 0, DRAINING: 1, ACTIVE: 2, GONE: 3 };

/** Two opinions on the same node as one (M1). */
export function mergeSeen(a: SeenNode, b: SeenNode): SeenNode {
  const order = compareRecords(a, b);
  if (order !== 0) return order > 0 ? a : b;
  const state = LIVELINESS[a.state] >= LIVELINESS[b.state] ? a.state : b.state;
  const load = (a.load?.sequence ?? -1) >= (b.load?.sequence ?? -1) ? a.load : b.load;
  const { load: _older, ...record } = a;
  return { ...record, state, ageMs: Math.min(a.ageMs, b.ageMs), ...(load === undefined ? {} : { load }) };
}

/** Many opinions as one list by role and id (M1). */
export function mergeOpinions(lists: Iterable<readonly SeenNode[]>): readonly SeenNode[] {
  const merged = new Map<NodeId, SeenNode>();
  for (const nodes of lists) {
    for (const node of nodes) {
      const other = merged.get(node.nodeId);
      merged.set(node.nodeId, other === undefined ? node : mergeSeen(other, node));
    }
  }
  return [...merged.values()].sort(byRoleAndId);
}

/** Keeps the newest opinion of each connected resource manager; see the rules at the head of the file. */
export class MergedView {
  private readonly opinions = new Map<string, Opinion>();
  private list: readonly SeenNode[] = [];
  private everSynced = false;

  /** A resource manager said this. */
  said(address: string, opinion: Opinion): void {
    this.opinions.set(address, opinion);
    this.everSynced ||= opinion.synced;
    this.merge();
  }

  /** The connection to a resource manager is gone: what it said last is no opinion any more. */
  lost(address: string): void {
    if (!this.opinions.delete(address)) return;
    this.merge();
  }

  /** The nodes, those that departed lately left out. */
  nodes(): readonly SeenNode[] {
    return this.list.filter((node) => node.state !== 'GONE');
  }

  /** Addresses of the resource managers that are connected and synced. */
  synced(): readonly string[] {
    return [...this.opinions].filter(([, opinion]) => opinion.synced).map(([address]) => address);
  }

  /** Addresses of the resource managers that are connected. */
  connected(): readonly string[] {
    return [...this.opinions.keys()];
  }

  /** Whether some resource manager that knew everybody has contributed: before that, a missing node means nothing. */
  isWhole(): boolean {
    return this.everSynced;
  }

  private merge(): void {
    const lists = [...this.opinions.values()].map((opinion) => opinion.nodes);
    this.list = mergeOpinions(this.synced().length > 0 ? lists : [this.list, ...lists]);
  }
}
