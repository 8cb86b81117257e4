import { readFileSync, writeFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';

/** What a process uses, as the kernel counts it. */
export interface ProcessUsage {
  /** CPU time since it started, of all its threads. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

// Linux reports in units of these to every program, whatever the machine (USER_HZ, and 4 KiB pages on x86-64 and arm64).
const TICK_MS = 10;
const PAGE_BYTES = 4096;

/** Reads the usage of a process from /proc; undefined when it is gone, or on systems without /proc. */
export function readProcessUsage(pid: number): ProcessUsage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in parentheses, which may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    return { cpuMs, rssBytes: Number(fields[21]) * PAGE_BYTES };
  } catch {
    return undefined;
  }
}

/** The most resident memory that a process ever had; 0 when it is gone, or on systems without /proc. */
export function readPeakRssBytes(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Asks the kernel to kill this process before its parent when the machine runs out of memory. Only Linux knows how. */
export function offerToOutOfMemoryKiller(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '900');
  } catch {
    // Elsewhere there is no such file; the engine's own limits hold anyway.
  }
}

/** Added to that of the worker: where there is not enough CPU for both the executor gets a tenth of what the worker may have. */
const EXECUTOR_NICENESS = 10;

/**
 * Has a process that has just been started give way to all others of its machine or container: heartbeats, admission and
 * cancellation go on without delay while queries use every core. Where nothing else wants the cores it takes nothing away.
 */
export function giveWay(pid: number): void {
  try {
    setPriority(pid, Math.min(constants.priority.PRIORITY_LOW, getPriority() + EXECUTOR_NICENESS));
  } catch {
    // It is gone already, or the system forbids it; it works without.
  }
}
