// One coordinator under full load, on virtual time: a resource manager answers questions after a millisecond, and tells of
// another coordinator that has queries in every group. As many queries as are started come anew, in the same groups: so
// the same number waits all the time.
import { instant, invariant, queryId, type QueryId, type Random, randomInt, seededRandom } from '@tutti/base';
import type { GroupCounts, GroupEffect, GroupEvent, GroupTarget, GroupUsage } from '@tutti/resource-groups';

/** What decides about starts: a tree of groups, or the baseline. */
export interface Machine {
  apply(event: GroupEvent, now: ReturnType<typeof instant>): GroupEffect[];
  counts(): readonly GroupCounts[];
}

export interface GroupLoadOptions {
  readonly machine: Machine;
  readonly targets: readonly GroupTarget[];
  /** How many queries wait all the time. */
  readonly queued: number;
  /** How fast queries come, start and end, all together, on the virtual clock. */
  readonly eventsPerMs: number;
  readonly seed: number;
  /** Called with the milliseconds of each single event, when given. */
  readonly onApplied?: (kind: GroupEvent['kind'], elapsedMs: number) => void;
}

const ANSWER_MS = 1;
const TICK_MS = 25;
/** Longer than the age of usage that starts depend on: before, the resource manager counts as new. */
const SETTLE_MS = 5_000;
const ANSWERS_KEPT = 16;
/** Ids of queries that ended are used again. */
const IDS = 1 << 18;

export class GroupLoad {
  /** Submissions, starts and ends so far. */
  events = 0;
  private nowMs = 0;
  private readonly random: Random;
  private readonly running: QueryId[] = [];
  private waiting = 0;
  private readonly leafOf = new Uint16Array(IDS);
  private readonly freeIds = Uint32Array.from({ length: IDS }, (_, index) => index);
  private freeCount = IDS;
  private readonly answers: Map<string, GroupUsage>[];
  private answered = 0;
  private question: { readonly askedAt: number; readonly knownRound: number } | undefined;
  private isWanted = false;
  private knownRound = 0;
  private nextTickAt = 0;
  private targets: readonly GroupTarget[];

  constructor(private readonly options: GroupLoadOptions) {
    this.random = seededRandom(options.seed);
    this.targets = options.targets;
    invariant(
      this.targets.length <= options.queued && options.queued < IDS / 2,
      'a query for each leaf, an id for each query',
    );
    this.answers = Array.from({ length: ANSWERS_KEPT }, () => usageElsewhere(this.targets, this.random));
  }

  /** Queries that run here. */
  get runningCount(): number {
    return this.running.length;
  }

  /** Fills the queues, and runs until everything is in its stride. */
  fill(): void {
    this.apply({ kind: 'clusterChanged', activeWorkers: 100, memoryBytes: 2 ** 44 });
    for (const end = this.nowMs + SETTLE_MS; this.nowMs < end; this.nowMs += 1_000) {
      this.question = { askedAt: this.nowMs - ANSWER_MS, knownRound: this.knownRound };
      this.answer();
    }
    // One in each leaf, the others by Zipf's law: the first leaf has a seventh of them.
    const shares = this.targets.map((_, index) => 1 / (index + 1));
    const perShare = (this.options.queued - this.targets.length) / shares.reduce((sum, share) => sum + share, 0);
    let owed = 0;
    for (const [leaf, share] of shares.entries()) {
      for (owed += share * perShare + 1; owed >= 1 - 1e-6; owed--) this.submit(leaf);
    }
    this.run(3 * this.targets.length);
  }

  /** `steps` times: a query ends, and what could start then starts at the next answer. */
  run(steps: number): void {
    for (let step = 0; step < steps; step++) {
      this.nowMs += 3 / this.options.eventsPerMs;
      if (this.question !== undefined && this.question.askedAt + ANSWER_MS <= this.nowMs) this.answer();
      if (this.nowMs >= this.nextTickAt) {
        this.nextTickAt = this.nowMs + TICK_MS;
        this.apply({ kind: 'tick' });
      }
      this.finishOne();
    }
    invariant(this.waiting === this.options.queued, `${this.waiting} queries wait instead of ${this.options.queued}`);
  }

  /** Goes on under another configuration of the same groups. */
  retarget(targets: readonly GroupTarget[]): void {
    invariant(targets.length === this.targets.length, 'the groups are the same');
    this.targets = targets;
  }

  /** The time of this load, for events from outside. */
  get now(): ReturnType<typeof instant> {
    return instant(this.nowMs);
  }

  /** Does what the machine wants after an event from outside. */
  take(effects: readonly GroupEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'start':
          this.events++;
          this.waiting--;
          this.running.push(effect.queryId);
          this.submit(this.leafOf[numberOf(effect.queryId)] ?? 0);
          break;
        case 'askUsage':
          this.ask();
          break;
        default:
          throw new Error(`nobody expected ${JSON.stringify(effect)}`);
      }
    }
  }

  private apply(event: GroupEvent): void {
    const { machine, onApplied } = this.options;
    if (onApplied === undefined) return this.take(machine.apply(event, instant(this.nowMs)));
    const startedAt = performance.now();
    const effects = machine.apply(event, instant(this.nowMs));
    onApplied(event.kind, performance.now() - startedAt);
    this.take(effects);
  }

  private submit(leaf: number): void {
    const number = this.freeIds[--this.freeCount];
    const target = this.targets[leaf];
    invariant(number !== undefined && target !== undefined, 'a free id, and a leaf that exists');
    this.leafOf[number] = leaf;
    this.events++;
    this.waiting++;
    const priority = 1 + randomInt(this.random, 10);
    this.apply({ kind: 'submitted', queryId: idOf(number), target, priority });
  }

  private finishOne(): void {
    const index = randomInt(this.random, this.running.length);
    const last = this.running.pop();
    if (last === undefined) return;
    const ended = this.running[index] ?? last;
    if (ended !== last) this.running[index] = last;
    this.events++;
    this.freeIds[this.freeCount++] = numberOf(ended);
    this.apply({ kind: 'finished', queryId: ended });
  }

  /** One question at a time; what is wanted meanwhile shares the next one. */
  private ask(): void {
    if (this.question !== undefined) {
      this.isWanted = true;
      return;
    }
    for (const { claimRound } of this.options.machine.counts()) this.knownRound = Math.max(this.knownRound, claimRound);
    // Sent a little after the event that asked for it: what that started has begun before.
    this.question = { askedAt: this.nowMs + 0.5 / this.options.eventsPerMs, knownRound: this.knownRound };
  }

  private answer(): void {
    const { question } = this;
    invariant(question !== undefined, 'a question');
    this.question = undefined;
    const groups = this.answers[this.answered++ % ANSWERS_KEPT] ?? new Map<string, GroupUsage>();
    const usage = {
      requestedAt: instant(question.askedAt),
      answeredBy: 'resource-manager-1@1',
      knownRound: question.knownRound,
      groups,
      cpu: new Map([['global.department-1', 3_600_000]]),
      oldestDataAgeMs: 20,
      coordinatorCount: 2,
    };
    this.apply({ kind: 'usageArrived', usage });
    if (this.isWanted) {
      this.isWanted = false;
      this.ask();
    }
  }
}

const idOf = (number: number): QueryId => queryId(`20260102_030405_${String(number).padStart(6, '0')}_bench`);
const numberOf = (id: QueryId): number => Number(id.slice(16, 22));

/** Another coordinator has a query or none running in each leaf, some waiting, and a claim here and there. */
function usageElsewhere(targets: readonly GroupTarget[], random: Random): Map<string, GroupUsage> {
  return new Map(
    targets.map(({ path }, index) => {
      const running = index % 4 === 0 || random() < 0.02 ? 1 : 0;
      // One that comes before all claims here, or one that comes after them.
      const round = index % 20 === 0 ? 1 : Number.MAX_SAFE_INTEGER;
      const claimsAhead = index % 10 === 0 ? [{ round, count: 1 }] : [];
      return [path, { running, queued: 2, claimsAhead, memoryBytes: running * 2 ** 30 }];
    }),
  );
}
