import { createClient } from '@connectrpc/connect';
import { type Clock, type Instant, type NodeId, type Random, untilTick } from '@tutti/base';
import { HeartbeatService, type ReportAck } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import {
  type AddressWatcher,
  type ClosableTransport,
  createClusterTransport,
  eachAddress,
  type Log,
  News,
  tellNewest,
} from '@tutti/service';
import { type NodeStatus, type ProcessUsage, reportToWire } from './heartbeat-codec.js';

/** What a HeartbeatSender reports, and to whom. */
export interface HeartbeatSenderOptions {
  readonly nodeId: NodeId;
  /** Unix milliseconds at process start: the same as in its announcements. */
  readonly incarnation: number;
  /** The resource managers. */
  readonly addresses: AddressWatcher;
  /** What the node is and does, asked just before each report is sent. */
  readonly status: () => NodeStatus;
  /** What the process uses; see ProcessMonitor. */
  readonly processUsage: () => ProcessUsage;
  /** Time between reports when nothing happens. */
  readonly intervalMs: number;
  /** A resource manager has heard the report that was made at `sentAt`. */
  readonly onHeard?: (sentAt: Instant) => void;
  /** What a resource manager answered to it. Call `sendSoon` in here when the next report would say something else. */
  readonly onAck?: (ack: ReportAck, sentAt: Instant) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Opens a channel; `new ChannelPool().connect` shares it with others who talk to the same resource manager. */
  readonly connect?: (address: string) => ClosableTransport;
}

const COALESCE_MS = 15;
/** A resource manager that has not answered for this many intervals is stuck: its stream is opened anew. */
const ANSWER_INTERVALS = 3;
const ANSWER_TIMEOUT_MIN_MS = 1_000;

/**
 * Reports this node to every resource manager: at once, at `sendSoon`, and every interval. Each has a stream of its own,
 * and only the newest state is ever sent: one that is slow delays no other, and nothing piles up before it.
 */
export class HeartbeatSender {
  private sequence = 0;
  private readonly news: News;

  constructor(private readonly options: HeartbeatSenderOptions) {
    this.news = new News(options.clock, COALESCE_MS);
  }

  /** Reports until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await eachAddress({ ...this.options, purpose: 'heartbeat', run: this.reportTo }, signal);
  }

  /** Something happened that others should know now: all calls within some milliseconds make one report. */
  sendSoon(): void {
    this.news.tell();
  }

  /**
   * The next number of this process's reports, for messages that carry the same counts by another way. Take it together with the
   * counts, without an await between.
   */
  nextSequence(): number {
    return ++this.sequence;
  }

  private readonly reportTo = async (address: string, signal: AbortSignal, connected: () => void) => {
    const { nodeId, incarnation, status, processUsage, intervalMs, clock } = this.options;
    const transport = (this.options.connect ?? connectCluster)(address);
    const client = createClient(HeartbeatService, transport);
    let isSelf = false;
    let sentAt = clock.now();
    try {
      await tellNewest(
        {
          open: (requests, inner) => client.streamNodeHeartbeats(requests, { signal: inner }),
          message: () => {
            sentAt = clock.now();
            const process = processUsage();
            const sequence = this.nextSequence();
            return { report: reportToWire({ nodeId, incarnation, sequence, process, status: status() }) };
          },
          onAnswer: ({ ack }) => {
            connected();
            isSelf = isSelfAck(ack, nodeId, incarnation);
            // One report is under way at a time: the answer is to the last one.
            if (isSelf) return 'stop';
            this.options.onHeard?.(sentAt);
            if (ack !== undefined) this.options.onAck?.(ack, sentAt);
            return undefined;
          },
          news: this.news,
          intervalMs: () => untilTick(clock.now(), intervalMs, nodeId),
          answerTimeoutMs: Math.max(ANSWER_TIMEOUT_MIN_MS, ANSWER_INTERVALS * intervalMs),
          clock,
        },
        signal,
      );
    } finally {
      transport.close();
    }
    return isSelf ? ('stayAway' as const) : ('again' as const);
  };
}

/** A resource manager of the same name may be another process. */
const isSelfAck = (ack: ReportAck | undefined, nodeId: NodeId, incarnation: number): boolean =>
  ack?.resourceManagerId === nodeId && [0, incarnation].includes(Number(ack.resourceManagerIncarnation));

const connectCluster = (address: string) => createClusterTransport({ address });
