import { Code, createClient } from '@connectrpc/connect';
import type { Clock, NodeId, Random } from '@tutti/base';
import { DiscoveryService } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import { type AddressWatcher, eachAddress, type Log, readStream, rpcError } from '@tutti/service';
import { type Connect, connectCluster } from './connect.js';
import { MergedView } from './core/merged-view.js';
import type { SeenNode } from './core/node-record.js';
import { seenFromWire } from './discovery-codec.js';

/** One node of the cluster, as the resource managers together see it. */
export type DirectoryNode = SeenNode;

/** Where a NodeDirectory learns of nodes. */
export interface NodeDirectoryOptions {
  /** The resource managers. */
  readonly addresses: AddressWatcher;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly connect?: Connect;
}

/** Resource managers send every second: after this much silence, one of them is frozen or cut off. */
const SILENCE_MAX_MS = 8_000;

/**
 * The nodes of the cluster, from every resource manager at once: one that is slow, restarted or cut off does not take
 * nodes away. While none is connected, the last list stays.
 */
export class NodeDirectory {
  private readonly view = new MergedView();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly options: NodeDirectoryOptions) {}

  /** Watches all resource managers until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await eachAddress({ ...this.options, purpose: 'watch-nodes', run: this.watch }, signal);
  }

  /** All nodes by role and id, suspects and draining ones too. */
  nodes(): readonly DirectoryNode[] {
    return this.view.nodes();
  }

  /** The workers that take tasks. */
  activeWorkers(): readonly DirectoryNode[] {
    return this.nodes().filter((node) => node.role === 'worker' && node.state === 'ACTIVE');
  }

  /** The coordinator whose query ids end in `suffix`. */
  byQuerySuffix(suffix: string): DirectoryNode | undefined {
    return this.nodes().find((node) => node.role === 'coordinator' && node.querySuffix === suffix);
  }

  get(nodeId: NodeId): DirectoryNode | undefined {
    return this.nodes().find((node) => node.nodeId === nodeId);
  }

  /** Addresses of the resource managers that are connected and have heard every node, in order: ask the first one. */
  resourceManagers(): readonly string[] {
    return [...this.view.synced()].sort();
  }

  /** Addresses of the resource managers that answer, synced or not. */
  connectedResourceManagers(): readonly string[] {
    return [...this.view.connected()].sort();
  }

  /** The coordinators and workers, for announcements; empty until a resource manager that knew everybody has answered. */
  knownNodeIds(): readonly NodeId[] {
    if (!this.view.isWhole()) return [];
    return this.nodes().flatMap((node) => (node.role === 'resourceManager' ? [] : [node.nodeId]));
  }

  /** Calls `listener` after every message of a resource manager, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private readonly watch = async (address: string, signal: AbortSignal, connected: () => void) => {
    const { clock, connect = connectCluster } = this.options;
    const transport = connect(address);
    const client = createClient(DiscoveryService, transport);
    const silent = new AbortController();
    const stop = AbortSignal.any([signal, silent.signal]);
    const listen = () => clock.schedule(SILENCE_MAX_MS, () => silent.abort(silence()));
    let cancel = listen();
    try {
      const lists = readStream((inner) => client.watchNodes({}, { signal: inner }), stop);
      for await (const { nodes, synced } of lists) {
        cancel();
        cancel = listen();
        connected();
        this.view.said(address, { nodes: nodes.map(seenFromWire).filter((one) => one !== undefined), synced });
        this.tellListeners();
      }
    } finally {
      cancel();
      transport.close();
      this.view.lost(address);
      this.tellListeners();
    }
    return 'again' as const;
  };

  private tellListeners(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

const silence = () =>
  rpcError(Code.DeadlineExceeded, `nothing heard for ${SILENCE_MAX_MS} ms`, { reason: 'NO_ANSWER' });
