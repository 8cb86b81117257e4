import { Code, type ServiceImpl } from '@connectrpc/connect';
import { nearestName, nodeId } from '@tutti/base';
import type { GetUsageRequest, ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { selectResourceGroup } from '@tutti/group-file';
import { lineageOf } from '@tutti/resource-groups';
import { rpcError } from '@tutti/service';
import { dealtView, type DeskView } from './dealt-view.js';
import { checkPage, invalid, pageSizeOf } from './cluster-service.js';
import { type ClusterState, groupSources, isSynced, recordCounts } from './cluster-state.js';
import { type ListedGroup, listGroups } from './core/group-list.js';
import { countsOf, listedToWire, usageToWire } from './group-codec.js';
import { groupConfigsOf } from './group-configs.js';
import type { ResourceManagerMetrics } from './resource-manager-metrics.js';

/** When a coordinator should ask again that asked too early after our start. */
const STARTING_RETRY_MS = 100;

/** Tells coordinators what the others run and wait for, and people what the groups are. */
export function resourceGroupService(
  state: ClusterState,
  metrics: Pick<ResourceManagerMetrics, 'usageQuestions'>,
  desk: DeskView,
): Omit<ServiceImpl<typeof ResourceGroupService>, 'lease' | 'writeOffCoordinator'> {
  return {
    getUsage(request) {
      const asker = takeIn(state, request);
      if (!isSynced(state)) {
        metrics.usageQuestions.inc({ outcome: 'starting' });
        throw starting(state);
      }
      metrics.usageQuestions.inc({ outcome: 'answered' });
      return {
        ...usageToWire(state.usage.usageFor(asker, state.clock.now())),
        resourceManagerId: state.nodeId,
        resourceManagerIncarnation: BigInt(state.incarnation),
      };
    },

    listResourceGroups({ pageSize, pageToken, group }) {
      checkPage(pageSize);
      const limit = pageSizeOf(pageSize);
      const isFirst = pageToken === '';
      const rows = subtree(listGroups(groupSources(state)), group).filter((row) => isFirst || row.group > pageToken);
      const page = rows.slice(0, limit);
      const dealt = dealtView(state.groups.current.config, desk, state.clock.now());
      return {
        groups: page.map((row) => listedToWire(row, dealt(row))),
        nextPageToken: rows.length > limit ? (page.at(-1)?.group ?? '') : '',
        configs: isFirst ? groupConfigsOf(state) : [],
      };
    },

    selectResourceGroup: (request) => selectResourceGroup(request, state.groups.current),
  };
}

/**
 * Takes in what the asker has, so that the answer can be made after it: of two coordinators that ask, the later one sees
 * the earlier one. Undefined when nobody in particular asks.
 */
function takeIn(state: ClusterState, request: GetUsageRequest) {
  if (request.nodeId === '') return undefined;
  const coordinatorId = nodeId(request.nodeId);
  const [incarnation, sequence] = [Number(request.incarnation), Number(request.sequence)];
  if (incarnation <= 0 || sequence <= 0) throw invalid('a question with node_id needs incarnation and sequence');
  state.nodes.update((table) => table.reported(coordinatorId, incarnation, 'coordinator', state.clock.now()));
  const configVersion = request.configVersion === '' ? undefined : request.configVersion;
  recordCounts(state, { coordinatorId, incarnation, sequence, groups: countsOf(request.groups), configVersion });
  return { coordinatorId, incarnation };
}

/** The group and all below it; throws NOT_FOUND when there is none. '' means all. */
function subtree(rows: readonly ListedGroup[], group: string): readonly ListedGroup[] {
  if (group === '') return rows;
  const found = rows.filter((row) => [...lineageOf(row.group)].includes(group));
  if (found.length > 0) return found;
  const known = rows.map((row) => row.group);
  const nearest = nearestName(group, known);
  const help = nearest === undefined ? 'List all groups to see their paths' : `Did you mean "${nearest}"?`;
  throw rpcError(Code.NotFound, `No group "${group}" is configured or in use. ${help}`, { reason: 'GROUP_NOT_FOUND' });
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
