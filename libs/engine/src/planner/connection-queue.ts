import type { PlanningConnection } from './planning-connection.js';

/** Lends out a fixed number of connections, in the order of asking. */
export class ConnectionQueue {
  private readonly idle: PlanningConnection[];
  private readonly waiting: ((leased: PlanningConnection) => void)[] = [];

  constructor(private readonly all: readonly PlanningConnection[]) {
    this.idle = [...all];
  }

  /** Runs `work` with a connection of its own; interrupts it when `signal` aborts. */
  async use<T>(signal: AbortSignal, work: (leased: PlanningConnection) => Promise<T>): Promise<T> {
    const leased = this.idle.pop() ?? (await new Promise<PlanningConnection>((resolve) => this.waiting.push(resolve)));
    const interrupt = () => leased.interrupt();
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      signal.throwIfAborted();
      return await work(leased);
    } finally {
      signal.removeEventListener('abort', interrupt);
      const next = this.waiting.shift();
      if (next === undefined) this.idle.push(leased);
      else next(leased);
    }
  }

  close(): void {
    for (const leased of this.all) leased.close();
  }
}
