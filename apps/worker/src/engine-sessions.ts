// What the worker needs of an engine that opens sessions.
import type { EngineTask, TaskUsage } from '@tutti/engine';
export interface SessionPool {
  open(task: EngineTask & { readonly exchangeDirectory: string }, signal: AbortSignal): Promise<ExecutorSession>;
}
export interface ExecutorSession {
  run(
    fragment: Uint8Array,
    io: {
      readonly inputs: readonly { readonly number: number; readonly files: readonly string[] }[];
      readonly outputDirectory: string;
    },
    signal: AbortSignal,
  ): Promise<FragmentRun>;
  usage(): TaskUsage;
  readonly ended: Promise<void>;
  close(): void;
}
export interface FragmentRun {
  readonly batches: AsyncIterable<Uint8Array>;
  readonly outcome: Promise<FragmentOutcome>;
}
export interface FragmentOutcome {
  readonly rows: number;
  readonly bytes: number;
  readonly files: readonly {
    readonly partition: number;
    readonly name: string;
    readonly rows: number;
    readonly bytes: number;
  }[];
  readonly ranges: readonly ({ readonly min: string; readonly max: string } | undefined)[];
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
  readonly spilledBytes: number;
}
export function isSession(fragment: Uint8Array): boolean {
  try {
    return (JSON.parse(new TextDecoder().decode(fragment)) as { kind?: unknown }).kind === 'session';
  } catch {
    return false;
  }
}
