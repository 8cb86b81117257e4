import type { Clock, NodeId, Random } from '@tutti/base';
import type { AddressWatcher, Log } from '@tutti/service';
import { Announcer, type Endpoints } from './announcer.js';
import type { Connect } from './connect.js';
import type { NodeRole } from './core/node-record.js';
import { NodeDirectory } from './node-directory.js';

export interface NodePresenceOptions {
  readonly role: NodeRole;
  readonly nodeId: NodeId;
  /** Unix milliseconds at process start: the same as in its heartbeats. */
  readonly incarnation: number;
  /** The last part of the ids of this coordinator's queries; left out by other roles. */
  readonly querySuffix?: string;
  /** The resource managers. */
  readonly addresses: AddressWatcher;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly connect?: Connect;
  /** See AnnouncerOptions. */
  readonly onNameTaken?: (message: string) => void;
  readonly onNameFree?: () => void;
}

/** A node's place in the cluster: it sees the others, and they see it. */
export interface NodePresence {
  /** The other nodes. Empty until `run`. */
  readonly directory: NodeDirectory;
  /** Announces this node and watches the others until `signal` aborts. Call it once the node serves. */
  run(endpoints: Endpoints, signal: AbortSignal): Promise<void>;
  /** Everybody hears of it within milliseconds. */
  setState(state: 'ACTIVE' | 'DRAINING'): void;
  /** The last word, at most half a second: without it the others would wait for the lease. Before `run` is stopped. */
  depart(): Promise<void>;
}

/** Wires an announcer and a directory for a role's main.ts. */
export function createNodePresence(options: NodePresenceOptions): NodePresence {
  const directory = new NodeDirectory(options);
  const announcer = new Announcer({ ...options, knownNodeIds: () => directory.knownNodeIds() });
  return {
    directory,
    run: async (endpoints, signal) => {
      await Promise.all([announcer.run(endpoints, signal), directory.run(signal)]);
    },
    setState: (state) => announcer.setState(state),
    depart: () => announcer.depart(),
  };
}
