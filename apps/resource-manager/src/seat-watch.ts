// Watches what the resource managers say of their seats, and holds this one back while it must not decide.
import type { Clock, Instant } from '@tutti/base';
import { type HeldBack, judgeSeats, type LeaseDesk, type SeatJudgement, type SeatSet } from '@tutti/resource-groups';
import type { ClusterState } from './cluster-state.js';
import { seatProblems } from './core/seat-problems.js';
import type { LeaseDeskShell } from './lease-desk-shell.js';
import { seatReportsOf } from './report-codec.js';

export interface SeatWatchOptions {
  readonly state: ClusterState;
  readonly seats: SeatSet;
  readonly isFirstStart: boolean;
  readonly shell: Pick<LeaseDeskShell, 'apply'> & { readonly desk: Pick<LeaseDesk, 'isReady' | 'owned'> };
  readonly clock: Clock;
}

/** Other resource managers are heard within a report or two. */
const LOOK_AROUND_MS = 2_500;

/** How the seats of this resource manager stand. */
export interface SeatStanding {
  /** Why it decides nothing, if it must not. */
  readonly heldBack: HeldBack | undefined;
  /** It owns and promises nothing at present: what others have to know (J2). */
  readonly isIdle: boolean;
  /** It promises, and hears a majority of its seats. */
  readonly votes: boolean;
  /** What is wrong, for people. */
  readonly problems: readonly string[];
}

export class SeatWatch {
  private readonly startedAt: Instant;
  /** Until then nobody had other seats that agree with its own. */
  private changingSince: Instant;
  private told: HeldBack | undefined;

  constructor(private readonly options: SeatWatchOptions) {
    this.startedAt = this.changingSince = options.clock.now();
  }

  /** How things stand now. */
  standing(): SeatStanding {
    const { state, seats, shell, clock } = this.options;
    const now = clock.now();
    const isReady = shell.desk.isReady(now);
    const { nodeId, incarnation } = state;
    const own = { nodeId, incarnation, seats, isReady, owns: shell.desk.owned().length > 0 };
    const others = [...state.reports.all()].flatMap(({ nodeId: id, report }) =>
      id === nodeId ? [] : seatReportsOf(id, report),
    );
    const judgement = judgeSeats(own, others);
    if (judgement.changing.length === 0) this.changingSince = now;
    const problems = seatProblems({
      ...{ seats, judgement, runsMs: now - this.startedAt, changingMs: now - this.changingSince },
      silent: seats.seats.filter((seat) => seat !== nodeId && !others.some((other) => other.nodeId === seat)),
    });
    const votes = isReady && judgement.hearsMajority;
    return { heldBack: this.reasonOf(judgement), isIdle: judgement.isIdle, votes, problems };
  }

  /** Tells the desk whether it may decide. */
  look(): SeatStanding {
    const standing = this.standing();
    const why = standing.heldBack;
    if (why === this.told) return standing;
    this.told = why;
    this.options.shell.apply({ kind: 'heldBack', why, incarnation: this.options.clock.wallMs() });
    return standing;
  }

  /** A seat that needs nobody else for a majority looks around before the very first deal: nobody would tell it otherwise. */
  private reasonOf({ isHeldBack }: SeatJudgement): HeldBack | undefined {
    if (isHeldBack) return 'seatsDisagree';
    const { isFirstStart, seats, clock } = this.options;
    const looksAround = isFirstStart && seats.seats.length === 1 && clock.now() - this.startedAt < LOOK_AROUND_MS;
    return looksAround ? 'lookingAround' : undefined;
  }
}
