// Tells the lease desk what this resource manager knows of the cluster: who is there, which limits hold, what was used.
//   F1. The desk is told only what has changed.
import { type GroupConfig, type GroupSpec, hasSoftLimits } from '@tutti/resource-groups';
import { type ClusterState, groupSources } from './cluster-state.js';
import type { LeaseDeskShell } from './lease-desk-shell.js';

export class DeskFeed {
  private config: GroupConfig;
  private members = '';
  private measured = '';
  /** Whether anything but the number of running queries limits a group. */
  private isMeasured = false;

  constructor(
    private readonly state: ClusterState,
    private readonly shell: Pick<LeaseDeskShell, 'apply'>,
  ) {
    this.config = state.groups.current.config;
    this.isMeasured = this.config.rootGroups.some(isSoft);
  }

  /** The nodes of the cluster, silent ones too, until they are forgotten or have said good-bye. */
  tellMembership(): void {
    const { nodes, clock } = this.state;
    const there = nodes.nodes.nodes(clock.now()).filter(({ state }) => state !== 'GONE');
    const members = there.map(({ role, nodeId, incarnation }) => `${role} ${nodeId} ${incarnation}`).join('\n');
    if (members === this.members) return;
    this.members = members;
    const ofRole = (role: string) => there.filter((node) => node.role === role);
    this.shell.apply({
      kind: 'membership',
      coordinators: ofRole('coordinator').map(({ nodeId, incarnation }) => ({ coordinatorId: nodeId, incarnation })),
      workers: ofRole('worker').map(({ nodeId, incarnation }) => ({ workerId: nodeId, incarnation })),
    });
  }

  tellConfig(): void {
    const { config } = this.state.groups.current;
    if (config === this.config) return;
    this.config = config;
    this.isMeasured = config.rootGroups.some(isSoft);
    this.shell.apply({ kind: 'configured', config });
  }

  /** What queries hold and have used, where that limits anything. */
  tellMeasured(): void {
    const { totals, cpuUsedMs, cluster } = this.isMeasured ? groupSources(this.state) : NOTHING;
    const used = new Map(totals.map(({ group, memoryBytes }) => [group, { memoryBytes, cpuUsedMs: 0 }]));
    for (const [group, usedMs] of cpuUsedMs)
      used.set(group, { memoryBytes: used.get(group)?.memoryBytes ?? 0, cpuUsedMs: usedMs });
    const levels = Array.from(used, ([group, use]) => ({ group, ...use })).filter(
      (level) => level.memoryBytes > 0 || level.cpuUsedMs > 0,
    );
    const measured = JSON.stringify({ cluster, levels });
    if (measured === this.measured) return;
    this.measured = measured;
    this.shell.apply({ kind: 'measured', cluster, levels });
  }
}

const NOTHING = { totals: [], cpuUsedMs: new Map<string, number>(), cluster: { activeWorkers: 0, memoryBytes: 0 } };

const isSoft = (spec: GroupSpec): boolean => hasSoftLimits(spec) || spec.subGroups.some(isSoft);
