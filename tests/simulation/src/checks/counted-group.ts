/** A group as the world counts it: what runs on workers, what waits anywhere, and how much may run. */
export class CountedGroup {
  /** Of the configuration that holds. */
  limit = 0;
  /** The greatest limit that anything that was dealt or started lately may go by. */
  allowed = 0;
  running = 0;
  waiting = 0;
  /** How many could run at once: those that run and wait, as far as the limits of the groups below it let them. */
  usable = 0;
  /** It and all above it, up to the root. */
  readonly lineage: readonly CountedGroup[];
  /** Of a leaf: how many starts there were. */
  starts = 0;
  private usableBelow = 0;
  private isLeaf = true;

  constructor(
    readonly path: string,
    readonly parent: CountedGroup | undefined,
  ) {
    if (parent !== undefined) parent.isLeaf = false;
    this.lineage = [this, ...(parent?.lineage ?? [])];
  }

  /** It and all above it have room for one more, counting what waits. */
  get hasSlack(): boolean {
    return this.lineage.every(({ running, waiting, limit }) => running + waiting < limit);
  }

  /** It and all above it run less than they may. */
  get hasRoom(): boolean {
    return this.lineage.every(({ running, limit }) => running < limit);
  }

  get root(): CountedGroup {
    return this.parent?.root ?? this;
  }

  addWaiting(by: number): void {
    for (const group of this.lineage) group.waiting += by;
    this.settle();
  }

  /** After its limit, or what runs or waits in it, has changed. */
  settle(): void {
    const wanted = this.isLeaf ? this.running + this.waiting : this.usableBelow;
    const usable = Math.min(wanted, Math.max(this.limit, this.running));
    if (usable === this.usable) return;
    const { parent } = this;
    if (parent !== undefined) parent.usableBelow += usable - this.usable;
    this.usable = usable;
    parent?.settle();
  }
}
