import type { DuckDBConnection } from '@duckdb/node-api';

const AGAIN_MS = 20;

/** Interrupts whatever a connection runs, until it is told to stop: an interrupt between two statements is lost. */
export class Interruption {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly connection: DuckDBConnection) {}

  start(): void {
    this.connection.interrupt();
    this.timer ??= setInterval(() => this.connection.interrupt(), AGAIN_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
