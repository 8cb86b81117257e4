import type { ServiceImpl } from '@connectrpc/connect';
import { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { type LoadedGroups, selectResourceGroup } from '@tutti/group-file';
import type { Peers } from './peers.js';

/** Passes questions about the cluster on to a resource manager: clients need to know coordinators only. */
export function clusterProxy(peers: Peers): ServiceImpl<typeof ClusterService> {
  return {
    getCluster: (request, { signal }) =>
      peers.askResourceManager(ClusterService, (client, call) => client.getCluster(request, call), signal),
    listNodes: (request, { signal }) =>
      peers.askResourceManager(ClusterService, (client, call) => client.listNodes(request, call), signal),
    listQueries: (request, { signal }) =>
      peers.askResourceManager(ClusterService, (client, call) => client.listQueries(request, call), signal),
    getQuery: (request, { signal }) =>
      peers.askResourceManager(ClusterService, (client, call) => client.getQuery(request, call), signal),
  };
}

/**
 * Passes questions about groups on. What an asker says of itself stays behind: only coordinators may claim. Which group
 * a query would go to is answered here: it is this coordinator that would take it there.
 */
export function resourceGroupProxy(
  peers: Peers,
  groups: { readonly current: LoadedGroups },
): Omit<ServiceImpl<typeof ResourceGroupService>, 'lease' | 'writeOffCoordinator'> {
  return {
    selectResourceGroup: (request) => selectResourceGroup(request, groups.current),
    getUsage: (_, { signal }) =>
      peers.askResourceManager(ResourceGroupService, (client, call) => client.getUsage({}, call), signal),
    listResourceGroups: (request, { signal }) =>
      peers.askResourceManager(
        ResourceGroupService,
        (client, call) => client.listResourceGroups(request, call),
        signal,
      ),
  };
}
