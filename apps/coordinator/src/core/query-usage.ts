// What the tasks of one query use together. Pure.
//   U1. CPU time and spilled bytes that were counted are never taken back: those of tasks that are over count on.
//   U2. Memory is what tasks that are not over hold now; its peak is the most that they held together.
import type { TaskUse } from '../task-client.js';

export interface TotalUse {
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly peakMemoryBytes: number;
  readonly spilledBytes: number;
}

export class QueryUsage {
  private readonly tasks = new Map<string, Pick<TotalUse, 'cpuMs' | 'memoryBytes' | 'spilledBytes'>>();
  private peakMemoryBytes = 0;

  /** A task uses this now. */
  heard(taskId: string, { cpuMs, memoryBytes, peakMemoryBytes, spilledBytes }: TaskUse): void {
    const before = this.tasks.get(taskId);
    this.tasks.set(taskId, {
      cpuMs: Math.max(cpuMs, before?.cpuMs ?? 0),
      memoryBytes,
      spilledBytes: Math.max(spilledBytes, before?.spilledBytes ?? 0),
    });
    const total = this.sum('memoryBytes') - memoryBytes + Math.max(memoryBytes, peakMemoryBytes);
    this.peakMemoryBytes = Math.max(this.peakMemoryBytes, total); // U2
  }

  /** A task is over. */
  ended(taskId: string): void {
    const before = this.tasks.get(taskId);
    if (before !== undefined) this.tasks.set(taskId, { ...before, memoryBytes: 0 }); // U1
  }

  total(): TotalUse {
    return {
      cpuMs: this.sum('cpuMs'),
      memoryBytes: this.sum('memoryBytes'),
      peakMemoryBytes: this.peakMemoryBytes,
      spilledBytes: this.sum('spilledBytes'),
    };
  }

  private sum(figure: 'cpuMs' | 'memoryBytes' | 'spilledBytes'): number {
    let total = 0;
    for (const use of this.tasks.values()) total += use[figure];
    return total;
  }
}
