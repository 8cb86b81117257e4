import { Code, type ServiceImpl } from '@connectrpc/connect';
import { type Clock, type NodeId, nodeId, untilTick } from '@tutti/base';
import type * as wire from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import type { DiscoveryService } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import { type Log, rpcError, untilAborted } from '@tutti/service';
import { nameSharedText } from './core/name-claim.js';
import type { NodeLoad, NodeRecord, NodeRole } from './core/node-record.js';
import {
  recordFromWire,
  roleFromWire,
  seenToWire,
  wireDuration,
  witnessedFromWire,
  witnessedToWire,
} from './discovery-codec.js';
import type { LiveNodeTable } from './live-node-table.js';

/** What DiscoveryService needs of its resource manager. */
export interface DiscoveryServiceOptions {
  readonly nodes: LiveNodeTable;
  readonly resourceManagerId: NodeId;
  /** Its process start: tells it apart from a node with the same id. */
  readonly resourceManagerIncarnation?: number;
  readonly leaseMs: number;
  /** Watchers get all nodes this often even when nothing changed: for the loads, and as a sign of life. */
  readonly watchIntervalMs?: number;
  /** How busy a worker is, by its newest report. */
  readonly loadOf: (nodeId: NodeId) => NodeLoad | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const WATCH_INTERVAL_MS = 3_000;

/** Serves DiscoveryService from a table of nodes. Its streams end when `drainSignal` aborts. */
export function discoveryService(
  options: DiscoveryServiceOptions,
  drainSignal: AbortSignal,
): ServiceImpl<typeof DiscoveryService> {
  const { nodes, resourceManagerId, resourceManagerIncarnation = 0, leaseMs, loadOf, clock, log } = options;
  const watchIntervalMs = options.watchIntervalMs ?? WATCH_INTERVAL_MS;

  const list = (role: NodeRole | undefined, goneToo: boolean) =>
    nodes.nodes
      .nodes(clock.now())
      .filter((node) => (role === undefined || node.role === role) && (goneToo || node.state !== 'GONE'))
      .map((node) => seenToWire(node, node.role === 'worker' ? loadOf(node.nodeId) : undefined));

  const isSynced = () => nodes.update((table) => table.isSynced(clock.now()));

  const merge = (witnessed: readonly wire.ReplicatedAnnouncement[], peerSynced: boolean) => {
    const records = witnessed.map(witnessedFromWire).filter((one) => one !== undefined);
    nodes.update((table) => table.replicated(records, peerSynced, clock.now()));
  };

  return {
    async *announce(requests) {
      const beganAt = clock.now();
      let toldLate = false;
      let toldShared = '';
      for await (const { announcement, knownNodeIds } of untilAborted(requests, drainSignal)) {
        const record = required(announcement);
        const now = clock.now();
        const taken = nodes.update((table) => table.announced(record, knownNodeIds.map(nodeId), now));
        const newer = taken ? undefined : nodes.nodes.newerThan(record, now);
        if (!taken && !toldLate)
          log.info('announcement-late', { nodeId: record.nodeId, incarnation: record.incarnation });
        toldLate = !taken;
        // Two processes have one name when the newer one is heard while this stream of the older one is open.
        const isShared = newer !== undefined && newer.record.state !== 'GONE' && now - newer.ageMs > beganAt;
        const shared = isShared ? nameSharedText(record, newer.record) : '';
        if (shared !== '' && shared !== toldShared)
          log[record.state === 'ACTIVE' ? 'warn' : 'info']('node-id-shared', {
            nodeId: record.nodeId,
            message: shared,
          });
        toldShared = shared;
        yield {
          resourceManagerId,
          lease: wireDuration(leaseMs),
          resourceManagerIncarnation: BigInt(resourceManagerIncarnation),
          ...(newer && { supersededBy: witnessedToWire(newer) }),
        };
      }
    },

    listNodes(request) {
      return { nodes: list(roleFromWire(request.role), false) };
    },

    async *watchNodes(request, { signal }) {
      const role = roleFromWire(request.role);
      const stop = AbortSignal.any([signal, drainSignal]);
      while (!stop.aborted) {
        const { edition } = nodes.news;
        yield { nodes: list(role, true), synced: isSynced(), resourceManagerId };
        await nodes.news.next(edition, untilTick(clock.now(), watchIntervalMs, resourceManagerId), stop);
      }
      stop.throwIfAborted();
    },

    async *replicate(requests) {
      let isFirst = true;
      for await (const request of untilAborted(requests, drainSignal)) {
        // A resource manager that talks to itself learns it from the answer and stays away.
        if (request.resourceManagerId !== resourceManagerId) merge(request.announcements, request.synced);
        // A new peer gets everything at once; later our own stream to it carries what we witness.
        const announcements = isFirst ? nodes.nodes.witnessed(clock.now()).map(witnessedToWire) : [];
        isFirst = false;
        yield { resourceManagerId, announcements, synced: isSynced() };
      }
    },

    depart(request) {
      const record = required(request.announcement);
      const taken = nodes.update((table) => table.departed(record, clock.now()));
      log.info('node-departed', { nodeId: record.nodeId, late: !taken });
      return {};
    },
  };
}

function required(announcement: wire.Announcement | undefined): NodeRecord {
  const record = recordFromWire(announcement);
  if (record !== undefined) return record;
  const message = 'an announcement needs node_id, role, incarnation and a state (ACTIVE, DRAINING or GONE)';
  throw rpcError(Code.InvalidArgument, message, { reason: 'INVALID_ARGUMENT' });
}
