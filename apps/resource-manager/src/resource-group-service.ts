import { Code, type ServiceImpl } from '@connectrpc/connect';
import { nodeId } from '@tutti/base';
import type { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { wireDuration } from '@tutti/discovery';
import { rpcError } from '@tutti/service';
import { checkPage, invalid, pageSizeOf } from './cluster-service.js';
import { type ClusterState, isSynced, recordCounts } from './cluster-state.js';
import { countsOf, usageToWire } from './report-codec.js';
import type { ResourceManagerMetrics } from './resource-manager-metrics.js';

/** When a coordinator should ask again that asked too early after our start. */
const STARTING_RETRY_MS = 100;

/** Tells coordinators what the others run and wait for. */
export function resourceGroupService(
  state: ClusterState,
  metrics: Pick<ResourceManagerMetrics, 'usageQuestions'>,
): ServiceImpl<typeof ResourceGroupService> {
  return {
    getUsage(request) {
      const now = state.clock.now();
      const asker = request.nodeId === '' ? undefined : nodeId(request.nodeId);
      if (asker !== undefined) {
        const [incarnation, sequence] = [Number(request.incarnation), Number(request.sequence)];
        if (incarnation <= 0 || sequence <= 0) throw invalid('a question with node_id needs incarnation and sequence');
        // First what the asker has, then the answer: of two coordinators that ask, the later one sees the earlier one.
        state.nodes.update((table) => table.reported(asker, incarnation, 'coordinator', now));
        const groups = countsOf(request.groups);
        recordCounts(state, { coordinatorId: asker, incarnation, sequence, groups });
      }
      if (!isSynced(state)) {
        metrics.usageQuestions.inc({ outcome: 'starting' });
        throw starting(state);
      }
      metrics.usageQuestions.inc({ outcome: 'answered' });
      const life = asker && { coordinatorId: asker, incarnation: Number(request.incarnation) };
      const { groups, coordinators, knownRound } = state.usage.usageFor(life, now);
      return {
        groups: [...groups].map(usageToWire),
        knownRound: BigInt(knownRound),
        coordinators: coordinators.map(({ coordinatorId, ageMs }) => ({
          nodeId: coordinatorId,
          age: wireDuration(ageMs),
        })),
        resourceManagerId: state.nodeId,
        resourceManagerIncarnation: BigInt(state.incarnation),
      };
    },

    selectResourceGroup() {
      const message = 'This resource manager keeps to no file of resource groups. Ask a coordinator.';
      throw rpcError(Code.Unimplemented, message, { reason: 'NOT_SUPPORTED' });
    },

    listResourceGroups({ pageSize, pageToken }) {
      checkPage(pageSize);
      const limit = pageSizeOf(pageSize);
      const rows = state.usage.groups(state.clock.now()).filter(({ group }) => pageToken === '' || group > pageToken);
      const page = rows.slice(0, limit);
      return {
        groups: page.map((row) => ({
          ...row,
          coordinators: row.coordinators.map(({ coordinatorId, running, queued, ageMs }) => ({
            nodeId: coordinatorId,
            running,
            queued,
            ...(ageMs === undefined ? {} : { age: wireDuration(ageMs) }),
          })),
        })),
        nextPageToken: rows.length > limit ? (page.at(-1)?.group ?? '') : '',
      };
    },
  };
}

function starting({ nodes, nodeId: id }: ClusterState) {
  const missing = nodes.nodes.missing();
  const whom = missing.length > 0 ? missing.slice(0, 5).join(', ') : 'any coordinator';
  const message = `resource manager ${id} has not heard every node yet: it waits for ${whom}`;
  return rpcError(Code.Unavailable, message, {
    reason: 'RESOURCE_MANAGER_STARTING',
    retryAfterMs: STARTING_RETRY_MS,
  });
}
