import type { MessageInitShape } from '@bufbuild/protobuf';
import type { NodeReport } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import type {
  GroupConfigStatus,
  NodeGroupConfigSchema,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import type { ClusterState } from './cluster-state.js';

/** The resource groups that each coordinator and resource manager keeps to, by node id. */
export function groupConfigsOf(state: ClusterState): MessageInitShape<typeof NodeGroupConfigSchema>[] {
  const { nodeId: ownId, groups, reports, usage, clock } = state;
  const asked = new Map(usage.versions(clock.now()).map((version) => [version.coordinatorId, version]));
  const configs: MessageInitShape<typeof NodeGroupConfigSchema>[] = [{ nodeId: ownId, status: groups.status() }];
  for (const { nodeId, incarnation, sequence, report } of reports.all()) {
    if (nodeId === ownId) continue;
    let status: MessageInitShape<typeof NodeGroupConfigSchema>['status'] = statusOf(report);
    const question = asked.get(nodeId);
    // A question may tell of a new version before the next heartbeat does. It tells no more than that.
    const isNewer = question?.incarnation === incarnation && question.sequence > sequence;
    if (isNewer && question.configVersion && question.configVersion !== status?.version)
      status = { version: question.configVersion };
    if (status !== undefined) configs.push({ nodeId, status });
  }
  return configs.sort((a, b) => ((a.nodeId ?? '') < (b.nodeId ?? '') ? -1 : 1));
}

const statusOf = ({ status }: NodeReport): GroupConfigStatus | undefined =>
  status.case === 'coordinator' || status.case === 'resourceManager' ? status.value.groupConfig : undefined;
