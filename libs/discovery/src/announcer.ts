import { createClient } from '@connectrpc/connect';
import { type Clock, type NodeId, type Random, untilTick } from '@tutti/base';
import { DiscoveryService } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import {
  type AddressWatcher,
  eachAddress,
  type Log,
  News,
  PROGRAM_VERSION,
  readRpcError,
  tellNewest,
} from '@tutti/service';
import { type Connect, connectCluster } from './connect.js';
import { NameClaim, nameTakenText } from './core/name-claim.js';
import type { AnnouncedState, NodeRecord, NodeRole, WitnessedRecord } from './core/node-record.js';
import { recordToWire, witnessedFromWire } from './discovery-codec.js';

/** What an Announcer says, and to whom. */
export interface AnnouncerOptions {
  readonly role: NodeRole;
  readonly nodeId: NodeId;
  /** Unix milliseconds at process start. */
  readonly incarnation: number;
  /** The last part of the ids of this coordinator's queries; left out by other roles. */
  readonly querySuffix?: string;
  /** The resource managers. */
  readonly addresses: AddressWatcher;
  /** The coordinators and workers that this node knows of; empty while it does not know the whole cluster. */
  readonly knownNodeIds: () => readonly NodeId[];
  /** Time between announcements when nothing changes; well below the lease. Default 5 s. */
  readonly intervalMs?: number;
  /** Another process has this node's id, and counts; the text says which. Not called while this one drains. */
  readonly onNameTaken?: (message: string) => void;
  /** It has left: this process may begin a new life. */
  readonly onNameFree?: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly connect?: Connect;
}

/** Where others reach this node; known once it serves. */
export interface Endpoints {
  readonly clusterAddress: string;
  readonly edgeAddress: string;
}

const INTERVAL_MS = 5_000;
/** The same while another process may have our name. */
const DOUBT_INTERVAL_MS = 1_000;
const ANSWER_TIMEOUT_MS = 3_000;
const COALESCE_MS = 5;
const DEPART_DEADLINE_MS = 500;

/** Announces this node to every resource manager: at once, at each change of its state, and every few seconds. */
export class Announcer {
  private state: AnnouncedState = 'ACTIVE';
  private version = 1;
  private endpoints: Endpoints | undefined;
  private readonly name = new NameClaim();
  private readonly news: News;
  private readonly connect: Connect;

  constructor(private readonly options: AnnouncerOptions) {
    this.news = new News(options.clock, COALESCE_MS);
    this.connect = options.connect ?? connectCluster;
  }

  /** Announces until `signal` aborts. */
  async run(endpoints: Endpoints, signal: AbortSignal): Promise<void> {
    this.endpoints = endpoints;
    this.name.announced(this.options.clock.now());
    await eachAddress({ ...this.options, purpose: 'announce', run: this.announceTo }, signal);
  }

  /** Changes what this node says of itself; every resource manager hears of it within milliseconds. */
  setState(state: 'ACTIVE' | 'DRAINING'): void {
    if (this.state === state || this.state === 'GONE') return;
    this.change(state);
  }

  /** The record as it is now. Only after `run`. */
  record(): NodeRecord {
    const { role, nodeId, incarnation, querySuffix = '' } = this.options;
    const { clusterAddress = '', edgeAddress = '' } = this.endpoints ?? {};
    const { state, version } = this;
    return {
      nodeId,
      role,
      incarnation,
      version,
      state,
      clusterAddress,
      edgeAddress,
      querySuffix,
      programVersion: PROGRAM_VERSION,
    };
  }

  /** Says good-bye to all resource managers at once. Best effort: whoever cannot be told forgets us after the lease. */
  async depart(): Promise<void> {
    this.change('GONE');
    if (this.endpoints === undefined) return;
    const announcement = recordToWire(this.record());
    const sayGoodBye = async (address: string) => {
      const transport = this.connect(address);
      try {
        await createClient(DiscoveryService, transport).depart({ announcement }, { timeoutMs: DEPART_DEADLINE_MS });
      } catch (error) {
        this.options.log.debug('depart-failed', { address, message: readRpcError(error).message });
      } finally {
        transport.close();
      }
    };
    const others = [...this.options.addresses.addresses()].filter((address) => address !== announcement.clusterAddress);
    await Promise.all(others.map(sayGoodBye));
  }

  /** A resource manager said what it holds of this node's id, if that is newer than what this process says. */
  answered(address: string, newer: WitnessedRecord | undefined): void {
    const { clock, log, onNameTaken, onNameFree } = this.options;
    const news = this.name.answered(address, newer, clock.now());
    if (news?.kind === 'taken') {
      const message = nameTakenText(news.by);
      if (this.state !== 'ACTIVE') return log.info('node-id-passed-on', { message });
      log.error('node-id-taken', { message });
      onNameTaken?.(message);
    } else if (news?.kind === 'free') {
      log.info('node-id-free', { message: 'the other process with this node id has left' });
      onNameFree?.();
    }
  }

  private change(state: AnnouncedState): void {
    this.state = state;
    this.version++;
    this.news.tell();
  }

  private readonly announceTo = async (address: string, signal: AbortSignal, connected: () => void) => {
    const { clock, knownNodeIds, intervalMs = INTERVAL_MS } = this.options;
    const transport = this.connect(address);
    const client = createClient(DiscoveryService, transport);
    let isSelf = false;
    try {
      await tellNewest(
        {
          open: (requests, inner) => client.announce(requests, { signal: inner }),
          message: () => ({ announcement: recordToWire(this.record()), knownNodeIds: [...knownNodeIds()] }),
          onAnswer: ({ resourceManagerId, resourceManagerIncarnation, supersededBy }) => {
            connected();
            isSelf = this.isSelf(resourceManagerId, Number(resourceManagerIncarnation));
            if (isSelf) return 'stop';
            this.answered(address, supersededBy && witnessedFromWire(supersededBy));
            return undefined;
          },
          news: this.news,
          intervalMs: () => this.untilNext(intervalMs),
          answerTimeoutMs: ANSWER_TIMEOUT_MS,
          clock,
        },
        signal,
      );
    } finally {
      this.name.lost(address);
      transport.close();
    }
    return isSelf ? ('stayAway' as const) : ('again' as const);
  };

  private untilNext(intervalMs: number): number {
    const { clock, nodeId } = this.options;
    return untilTick(clock.now(), this.name.isDoubtful ? Math.min(DOUBT_INTERVAL_MS, intervalMs) : intervalMs, nodeId);
  }

  /** A resource manager of the same name may be another process. One of an earlier version does not say when it started. */
  private isSelf(resourceManagerId: string, resourceManagerIncarnation: number): boolean {
    const { nodeId, role, incarnation } = this.options;
    if (resourceManagerId !== nodeId || role !== 'resourceManager') return false;
    return resourceManagerIncarnation === 0 || resourceManagerIncarnation === incarnation;
  }
}
