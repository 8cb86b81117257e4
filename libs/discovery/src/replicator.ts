import { createClient } from '@connectrpc/connect';
import { type Clock, type NodeId, type Random, untilTick } from '@tutti/base';
import { DiscoveryService } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import { type AddressWatcher, eachAddress, type Log, tellNewest } from '@tutti/service';
import { type Connect, connectCluster } from './connect.js';
import { witnessedFromWire, witnessedToWire } from './discovery-codec.js';
import type { LiveNodeTable } from './live-node-table.js';

/** Whose table goes to whom. */
export interface ReplicatorOptions {
  readonly nodes: LiveNodeTable;
  readonly resourceManagerId: NodeId;
  /** All resource managers; this one may be among them. */
  readonly addresses: AddressWatcher;
  /** Time between exchanges when nothing changes: below the suspicion time. Default 2 s. */
  readonly intervalMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly connect?: Connect;
}

const INTERVAL_MS = 2_000;
const ANSWER_TIMEOUT_MS = 3_000;

/**
 * Exchanges what this resource manager witnessed with every other one, until `signal` aborts: all of it, at each change
 * and every two seconds. One table is small, and full state needs no repair after a loss.
 */
export async function replicate(options: ReplicatorOptions, signal: AbortSignal): Promise<void> {
  const { nodes, resourceManagerId, clock, intervalMs = INTERVAL_MS, connect = connectCluster } = options;

  const run = async (address: string, stop: AbortSignal, connected: () => void) => {
    const transport = connect(address);
    const client = createClient(DiscoveryService, transport);
    let isSelf = false;
    try {
      await tellNewest(
        {
          open: (requests, inner) => client.replicate(requests, { signal: inner }),
          message: () => ({
            resourceManagerId,
            announcements: nodes.nodes.witnessed(clock.now()).map(witnessedToWire),
            synced: nodes.update((table) => table.isSynced(clock.now())),
          }),
          onAnswer: (answer) => {
            connected();
            isSelf = answer.resourceManagerId === resourceManagerId;
            if (isSelf) return 'stop';
            const records = answer.announcements.map(witnessedFromWire).filter((one) => one !== undefined);
            nodes.update((table) => table.replicated(records, answer.synced, clock.now()));
            return undefined;
          },
          news: nodes.news,
          intervalMs: () => untilTick(clock.now(), intervalMs, resourceManagerId),
          answerTimeoutMs: ANSWER_TIMEOUT_MS,
          clock,
        },
        stop,
      );
    } finally {
      transport.close();
    }
    return isSelf ? ('stayAway' as const) : ('again' as const);
  };

  await eachAddress({ ...options, purpose: 'replicate', run }, signal);
}
