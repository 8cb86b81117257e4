// Everything that deals the slots of leased groups, wired: the desk, its streams, what it is fed with, what it shows.
import { type Clock, type NodeId, type Random, sleep } from '@tutti/base';
import { LeaseDesk, type SeatSet } from '@tutti/resource-groups';
import { type ClosableTransport, type Counter, every, type Log, type Metrics } from '@tutti/service';
import type { ClusterState } from './cluster-state.js';
import { seatsOf } from './core/seat-config.js';
import { DeskFeed } from './desk-feed.js';
import { DeskLog } from './desk-log.js';
import { LeaseDeskShell } from './lease-desk-shell.js';
import { leaseGauges, leaseMetrics } from './lease-metrics.js';
import { SeatLinks } from './seat-links.js';
import { type SeatStanding, SeatWatch } from './seat-watch.js';
import type { Settings } from './settings.js';

export interface LeasesOptions {
  readonly state: ClusterState;
  readonly config: Settings['seats'];
  readonly connect: (address: string) => ClosableTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface Leases {
  readonly shell: LeaseDeskShell;
  readonly seats: SeatSet;
  /** Counts messages of seats. */
  readonly seatMessages: Counter<string>;
  /** How its seats stand, as it hears of others. */
  standing(): SeatStanding;
  /** Deals until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Gives everything that is owned to other seats, as far as that is possible within a short time. */
  handOver(): Promise<void>;
}

/** How often it is looked whether limits have changed by what was used. */
const MEASURE_MS = 500;
/** Nodes are looked at so often without news of them. */
const MEMBERS_MS = 1_000;
/** A process that ends waits no longer for its successors. */
const HAND_OVER_MS = 2_000;
const FLUSH_LOOK_MS = 10;

export function createLeases(options: LeasesOptions): Leases {
  const { state, config, clock, random, log } = options;
  const ownId: NodeId = state.nodeId;
  const seats = seatsOf(config, ownId);
  const metrics = leaseMetrics(options.metrics);
  const links = new SeatLinks({ ...options, ownId, seats, nodes: state.nodes, dropped: metrics.seatMessagesDropped });
  const desk = new LeaseDesk({
    seat: ownId,
    incarnation: state.incarnation,
    startedAt: clock.now(),
    seatSet: seats,
    isFirstStart: config.firstStart,
    random,
    config: state.groups.current.config,
  });
  const deskLog = new DeskLog(log, clock);
  const shell = new LeaseDeskShell({
    desk,
    toSeat(to, message) {
      metrics.seatMessages.inc({ direction: 'sent' });
      links.send(to, message);
    },
    onNotes(notes) {
      for (const note of notes) {
        deskLog.note(note);
        metrics.note(note);
      }
    },
    clock,
    log,
  });
  const feed = new DeskFeed(state, shell);
  const seatWatch = new SeatWatch({ state, seats, isFirstStart: config.firstStart, shell, clock });
  // Before the first report: it must not say that this one decides.
  seatWatch.look();
  const standing = () => seatWatch.standing();
  leaseGauges(options.metrics, state, shell, standing);

  let toldProblems = '';
  const look = () => {
    feed.tellConfig();
    feed.tellMeasured();
    const found = seatWatch.look().problems;
    metrics.update(desk.counters);
    if (found.join('\n') === toldProblems) return;
    toldProblems = found.join('\n');
    if (found.length > 0) log.error('seat-problems', { problems: found });
    else log.info('seats-agree', {});
  };
  const watchMembers = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      const { edition } = state.nodes.news;
      feed.tellMembership();
      seatWatch.look();
      await state.nodes.news.next(edition, MEMBERS_MS, signal);
    }
  };

  return {
    shell,
    seats,
    seatMessages: metrics.seatMessages,
    standing,
    async run(signal) {
      shell.start();
      look();
      const loop = { intervalMs: MEASURE_MS, run: look, clock, random, signal, log };
      await Promise.all([links.run(signal), watchMembers(signal), every(loop)]);
      shell.stop();
      deskLog.flush();
    },
    async handOver() {
      const late = new AbortController();
      const timeout = sleep(clock, HAND_OVER_MS, late.signal).then(() => 'late');
      const handedOver = async () => {
        await shell.drain();
        while (!links.areEmpty && !late.signal.aborted) await sleep(clock, FLUSH_LOOK_MS, late.signal);
        return 'handed-over';
      };
      const outcome = await Promise.race([handedOver(), timeout]);
      late.abort();
      deskLog.flush();
      log.info('leases-given-up', { outcome, stillOwned: desk.owned().length });
    },
  };
}
