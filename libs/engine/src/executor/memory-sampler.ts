import type { DuckDBConnection } from '@duckdb/node-api';

/** What the engine says that it holds. */
export interface MemorySample {
  readonly memoryBytes: number;
  readonly spilledBytes: number;
}

const QUERY =
  'SELECT coalesce(sum(memory_usage_bytes), 0)::DOUBLE, coalesce(sum(temporary_storage_bytes), 0)::DOUBLE FROM duckdb_memory()';
const FIRST_DELAYS_MS = [20, 80, 150];
const INTERVAL_MS = 250;

/** What a database holds now. Throws when its memory is full to the last byte. */
export async function takeSample(connection: DuckDBConnection): Promise<MemorySample> {
  const [[memoryBytes, spilledBytes]] = (await (await connection.run(QUERY)).getRows()) as [[number, number]];
  return { memoryBytes, spilledBytes };
}

/** Samples the memory of a database while a query runs in it: soon at first, then four times a second. */
export class MemorySampler {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private samples = 0;
  private stopped = false;

  constructor(
    private readonly connection: DuckDBConnection,
    private readonly memoryLimitBytes: number,
    private readonly report: (sample: MemorySample) => void,
  ) {}

  start(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.sample().then(() => this.start());
    }, FIRST_DELAYS_MS[this.samples++] ?? INTERVAL_MS);
  }

  /** Resolves when no sample is being taken any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async sample(): Promise<void> {
    try {
      this.report(await takeSample(this.connection));
    } catch {
      // The sampling query itself fails when the pool is exactly full: that is a sample too.
      this.report({ memoryBytes: this.memoryLimitBytes, spilledBytes: 0 });
    }
  }
}
