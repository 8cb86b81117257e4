import { type CoordinatorReport, type UsageAnswer, UsageLedger, type WorkerTask } from '@tutti/resource-groups';
import type { VirtualTime } from './virtual-time.js';

export interface SimAnswer extends UsageAnswer {
  readonly answeredBy: string;
}

/** A resource manager: the real ledger, its restarts, and the rule that a new life answers only when it knows all. */
export class SimResourceManager {
  isUp = true;
  private life = 1;
  private startedAt = 0;
  private ledger: UsageLedger;
  private heard = new Set<string>();
  private workerSequences = new Map<string, number>();

  constructor(
    readonly id: string,
    private readonly time: VirtualTime,
    /** The nodes that it must hear of before it answers, unless leaseMs has passed. */
    private readonly nodeIds: readonly string[],
    private readonly expireAfterMs: number,
    private readonly leaseMs: number,
  ) {
    this.ledger = new UsageLedger({ expireAfterMs });
  }

  crash(): void {
    this.isUp = false;
  }

  /** A new process: it remembers nothing. */
  restart(): void {
    this.isUp = true;
    this.life++;
    this.startedAt = this.time.now();
    this.ledger = new UsageLedger({ expireAfterMs: this.expireAfterMs });
    this.heard = new Set();
    this.workerSequences = new Map();
  }

  report(report: CoordinatorReport): void {
    if (!this.isUp) return;
    this.heard.add(report.coordinatorId);
    this.ledger.record(report, this.time.now());
  }

  workerReport(workerId: string, sequence: number, tasks: readonly WorkerTask[]): void {
    if (!this.isUp || sequence <= (this.workerSequences.get(workerId) ?? 0)) return;
    this.heard.add(workerId);
    this.workerSequences.set(workerId, sequence);
    this.ledger.recordWorker(workerId, tasks, this.time.now());
  }

  /** Undefined when it is down, 'starting' while it does not know everybody. */
  ask(report: CoordinatorReport): SimAnswer | 'starting' | undefined {
    if (!this.isUp) return undefined;
    this.report(report);
    const knowsAll = this.nodeIds.every((id) => this.heard.has(id));
    if (!knowsAll && this.time.now() - this.startedAt < this.leaseMs) return 'starting';
    return { ...this.ledger.usageFor(report, this.time.now()), answeredBy: `${this.id}/${this.life}` };
  }
}
