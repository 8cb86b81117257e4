// Remembers plans of queries: dashboards send the same statement again and again.
//   K1. A plan is remembered by the statement and what of its session it depends on; the catalogs do not change while the process
//       lives. Plans that can be cut into stages know the files of their tables: they hold while these are as they were. Errors
//       and answers are made anew, also those of EXPLAIN, and so are plans that were made before all footers had been read, and
//       those of statements that ask for the time: it is a constant of the plan.
//   K2. It holds at most `bytesMax`; what has not been used for longest goes first.
import type { PlanOutcome, Planner } from '@tutti/engine';
import { isMomentary } from '@tutti/sql';
import { hasItsFiles, type LookAtFile, lookAtFile, planBytes } from './plan-files.js';

type PlannedQuery = Extract<PlanOutcome, { kind: 'query' }>;

interface Remembered {
  readonly outcome: PlannedQuery;
  readonly bytes: number;
}

export class PlanCache implements Planner {
  private readonly plans = new Map<string, Remembered>();
  private heldBytes = 0;

  constructor(
    private readonly planner: Planner,
    private readonly bytesMax = 32 << 20,
    private readonly look: LookAtFile = lookAtFile,
  ) {}

  get bytes(): number {
    return this.heldBytes;
  }

  async plan(statement: string, session: Parameters<Planner['plan']>[1], signal: AbortSignal): Promise<PlanOutcome> {
    const key = JSON.stringify([session.catalog, session.schema, session.distribution, statement]);
    const known = this.plans.get(key);
    if (known !== undefined && (await hasItsFiles(known.outcome.plan, this.look))) {
      this.use(key, known);
      return known.outcome;
    }
    const outcome = await this.planner.plan(statement, session, signal);
    if (outcome.kind === 'query' && isLasting(statement, outcome))
      this.remember(key, outcome, 2 * key.length + outcome.fragment.byteLength + planBytes(outcome.plan));
    return outcome;
  }

  close(): Promise<void> {
    return this.planner.close();
  }

  /** The last in the map is the last used. */
  private use(key: string, known: Remembered): void {
    if (this.plans.get(key) !== known) return;
    this.plans.delete(key);
    this.plans.set(key, known);
  }

  private remember(key: string, outcome: PlannedQuery, bytes: number): void {
    this.forget(key);
    if (bytes > this.bytesMax) return;
    this.plans.set(key, { outcome, bytes });
    this.heldBytes += bytes;
    for (const oldest of this.plans.keys()) {
      if (this.heldBytes <= this.bytesMax) return; // K2
      this.forget(oldest);
    }
  }

  private forget(key: string): void {
    this.heldBytes -= this.plans.get(key)?.bytes ?? 0;
    this.plans.delete(key);
  }
}

/** K1. */
const isLasting = (statement: string, { plan }: PlannedQuery): boolean =>
  plan.kind === 'whole' || (!plan.isProvisional && !isMomentary(statement));
