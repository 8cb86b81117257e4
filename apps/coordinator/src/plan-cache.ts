// Remembers plans of queries: dashboards send the same statement again and again.
//   K1. Only plans are remembered that depend on nothing but the statement, the session's names and the catalogs, which
//       do not change while the process lives. Errors and answers are made anew, and so are plans that can be cut into stages:
//       they know the files of their tables as they were.
//   K2. It holds at most `bytesMax`; what has not been used for longest goes first.
import type { PlanOutcome, Planner } from '@tutti/engine';

interface Remembered {
  readonly outcome: PlanOutcome;
  readonly bytes: number;
}

export class PlanCache implements Planner {
  private readonly plans = new Map<string, Remembered>();
  private heldBytes = 0;

  constructor(
    private readonly planner: Planner,
    private readonly bytesMax = 16 << 20,
  ) {}

  get bytes(): number {
    return this.heldBytes;
  }

  async plan(statement: string, session: Parameters<Planner['plan']>[1], signal: AbortSignal): Promise<PlanOutcome> {
    const key = JSON.stringify([session.catalog, session.schema, session.distribution, statement]);
    const known = this.plans.get(key);
    if (known !== undefined) {
      this.plans.delete(key);
      this.plans.set(key, known); // The last in the map is the last used.
      return known.outcome;
    }
    const outcome = await this.planner.plan(statement, session, signal);
    if (outcome.kind === 'query' && outcome.plan.kind === 'whole')
      this.remember(key, outcome, 2 * key.length + outcome.fragment.byteLength); // K1
    return outcome;
  }

  close(): Promise<void> {
    return this.planner.close();
  }

  private remember(key: string, outcome: PlanOutcome, bytes: number): void {
    if (bytes > this.bytesMax || this.plans.has(key)) return;
    this.plans.set(key, { outcome, bytes });
    this.heldBytes += bytes;
    for (const [oldest, { bytes: freed }] of this.plans) {
      if (this.heldBytes <= this.bytesMax) return; // K2
      this.plans.delete(oldest);
      this.heldBytes -= freed;
    }
  }
}
