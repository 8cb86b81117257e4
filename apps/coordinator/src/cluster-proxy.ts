import type { ServiceImpl } from '@connectrpc/connect';
import { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import {
  type ListResourceGroupsRequest,
  type ListResourceGroupsResponse,
  ResourceGroupService,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { type LoadedGroups, selectResourceGroup } from '@tutti/group-file';
import type { Peers } from './peers.js';
import { writeOffEverywhere } from './write-offs.js';

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
): Omit<ServiceImpl<typeof ResourceGroupService>, 'lease'> {
  return {
    writeOffCoordinator: (request, { signal }) => writeOffEverywhere(peers, request, signal),
    selectResourceGroup: (request) => selectResourceGroup(request, groups.current),
    getUsage: (_, { signal }) =>
      peers.askResourceManager(ResourceGroupService, (client, call) => client.getUsage({}, call), signal),
    async listResourceGroups(request, { signal }) {
      const page = await peers.askResourceManager(
        ResourceGroupService,
        (client, call) => client.listResourceGroups(request, call),
        signal,
      );
      await addWhatOwnersKnow(page, request, peers, signal);
      return page;
    },
  };
}

/** What is held of a group only its owner knows: asks those owners that the page was not asked of. */
async function addWhatOwnersKnow(
  { groups }: ListResourceGroupsResponse,
  request: ListResourceGroupsRequest,
  peers: Peers,
  signal: AbortSignal,
): Promise<void> {
  const unknown = groups.filter(({ owner, held }) => owner !== '' && held === undefined);
  const owners = [...new Set(unknown.map(({ owner }) => owner))];
  const ask = async (owner: string) => {
    const page = await peers.askThatResourceManager(
      owner,
      ResourceGroupService,
      (client, call) => client.listResourceGroups(request, call),
      signal,
    );
    const known = new Map(page?.groups.map((group) => [group.group, group]));
    for (const group of unknown) {
      const told = known.get(group.group);
      if (group.owner !== owner || told?.held === undefined) continue;
      Object.assign(group, { held: told.held, overAdmission: told.overAdmission });
    }
  };
  await Promise.all(owners.map(ask));
}
