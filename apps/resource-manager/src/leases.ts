// Everything that deals the slots of leased groups, wired: the desk, its streams, what it is fed with, what it shows.
import { type Clock, type NodeId, type Random, sleep } from '@tutti/base';
import { LeaseDesk, type SeatId, type SeatSet } from '@tutti/resource-groups';
import { type ClosableTransport, type Counter, every, type Log, type Metrics } from '@tutti/service';
import type { ClusterState } from './cluster-state.js';
import { judgeSeats } from './core/seat-agreement.js';
import { seatsOf } from './core/seat-config.js';
import { DeskFeed } from './desk-feed.js';
import { DeskLog } from './desk-log.js';
import { LeaseDeskShell } from './lease-desk-shell.js';
import { leaseGauges, leaseMetrics } from './lease-metrics.js';
import { toldSeats } from './report-codec.js';
import { SeatLinks } from './seat-links.js';
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
  /** What is wrong with the seats of the cluster, for people. */
  problems(): readonly string[];
  /** Whether this one must not deal, since other resource managers have other seats. */
  isHeldBack(): boolean;
  /** Deals until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Gives everything that is owned to other seats, as far as that is possible within a short time. */
  handOver(): Promise<void>;
}

/** How often it is looked whether limits have changed by what was used. */
const MEASURE_MS = 500;
/** Nodes are looked at so often without news of them. */
const MEMBERS_MS = 1_000;
/** Other resource managers are heard of within a report or two. */
const LOOK_AROUND_MS = 2_500;
/** Seats that start together hear of each other well within this. */
const MISSED_AFTER_MS = 15_000;
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
  const own = { nodeId: ownId, incarnation: state.incarnation, seats };
  const judge = () => {
    const told = [...state.reports.all()].flatMap(({ nodeId, report }) => toldSeats(nodeId, report));
    return judgeSeats(
      own,
      told.filter(({ nodeId }) => nodeId !== ownId),
    );
  };
  const startedAt = clock.now();
  const problems = () => [
    ...judge().problems,
    ...(clock.now() - startedAt < MISSED_AFTER_MS ? [] : silence(seats, isAlive)),
  ];
  const isAlive = (seat: SeatId) =>
    seat === ownId || (state.nodes.nodes.get(seat, clock.now())?.state ?? 'GONE') !== 'GONE';
  leaseGauges(options.metrics, state, shell, problems);

  // A seat that needs nobody else for a majority looks around before it deals for the first time.
  const looksAroundUntil = config.firstStart && seats.seats.length === 1 ? clock.now() + LOOK_AROUND_MS : clock.now();
  let heldBack = false;
  const holdBack = () => {
    const isHeldBack = clock.now() < looksAroundUntil || judge().isHeldBack;
    if (isHeldBack === heldBack) return;
    heldBack = isHeldBack;
    shell.apply({ kind: 'heldBack', isHeldBack });
  };

  let toldProblems = '';
  const look = () => {
    feed.tellConfig();
    feed.tellMeasured();
    holdBack();
    metrics.update(desk.counters);
    const found = problems();
    if (found.join('\n') === toldProblems) return;
    toldProblems = found.join('\n');
    if (found.length > 0) log.error('seat-problems', { problems: found });
    else log.info('seats-agree', {});
  };
  const watchMembers = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      const { edition } = state.nodes.news;
      feed.tellMembership();
      holdBack();
      await state.nodes.news.next(edition, MEMBERS_MS, signal);
    }
  };

  return {
    shell,
    seats,
    seatMessages: metrics.seatMessages,
    problems,
    isHeldBack: () => judge().isHeldBack,
    async run(signal) {
      if (!seats.seats.includes(ownId))
        log.warn('observes-only', { message: 'seats.ids does not name this node', ownId });
      holdBack();
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

/** Without a majority nobody deals: that is told by those that are left. */
function silence({ seats }: SeatSet, isAlive: (seat: SeatId) => boolean): string[] {
  const gone = seats.filter((seat) => !isAlive(seat));
  if (gone.length * 2 < seats.length) return [];
  return [
    `${gone.length} of ${seats.length} seats are not heard (${gone.join(', ')}): without a majority nobody deals slots. Start them, ` +
      'or correct seats.ids',
  ];
}
