/** With so much of it left a budget should be followed by another one. */
const LOW_PART = 1 / 4;

/** What queries of a leaf may use before nothing more starts: the holder's part of deal-cpu.ts. */
export class CpuBudget {
  /** Up to which total; undefined: nothing limits it. */
  private untilMs: number | undefined;
  private budgetMs = 0;

  /** A budget on top of a total that the owner knows. */
  take(toldMs: number, budgetMs: number): void {
    this.untilMs = toldMs + budgetMs;
    this.budgetMs = budgetMs;
  }

  /** Nothing is left of it. */
  end(): void {
    if (this.untilMs !== undefined) this.take(0, 0);
  }

  leftMs(usedMs: number | undefined): number | undefined {
    if (this.untilMs === undefined || usedMs === undefined) return undefined;
    return Math.max(0, this.untilMs - usedMs);
  }

  /** Whether the owner should hear soon, and has not since most of it was used. */
  isNearlyUsed(usedMs: number | undefined, toldMs: number | undefined): boolean {
    const [left, toldLeft] = [this.leftMs(usedMs), this.leftMs(toldMs)];
    if (left === undefined || toldLeft === undefined) return false;
    const lowMs = this.budgetMs * LOW_PART;
    return left <= lowMs && toldLeft > lowMs;
  }
}
