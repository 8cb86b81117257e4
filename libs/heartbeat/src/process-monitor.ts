import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock, Instant } from '@tutti/base';
import type { ProcessUsage } from './heartbeat-codec.js';

/** How often the event loop is probed: often enough to see what delays a heartbeat, seldom enough to cost nothing. */
const PROBE_INTERVAL_MS = 250;
/** Calls within this time get the same sample: one report per resource manager is one look. */
const SAMPLE_KEPT_MS = 200;

/** Measures this process and, where the system tells (/proc), its children. */
export class ProcessMonitor {
  private readonly delays: IntervalHistogram;
  private sampledAt: Instant;
  private sample: ProcessUsage | undefined;
  private ownCpuMs = cpuMsOfSelf();
  private childCpuMs = new Map<number, number>();

  /** `childPids` names the processes that this one has started and that work for it. */
  constructor(
    private readonly clock: Clock,
    private readonly childPids: () => readonly number[] = () => [],
  ) {
    this.sampledAt = clock.now();
    this.delays = monitorEventLoopDelay({ resolution: PROBE_INTERVAL_MS });
    this.delays.enable();
  }

  /** What the process uses: averages and maxima since the last sample. */
  usage(): ProcessUsage {
    const now = this.clock.now();
    if (this.sample !== undefined && now - this.sampledAt < SAMPLE_KEPT_MS) return this.sample;
    const elapsedMs = now - this.sampledAt;
    const children = this.childPids().map((pid) => ({ pid, ...readProcess(pid) }));
    const cpuMs = this.cpuMsSince(children);
    this.sample = {
      cpuCores: availableParallelism(),
      cpuUsedCores: elapsedMs > 0 ? cpuMs / elapsedMs : 0,
      rssBytes: process.memoryUsage.rss() + children.reduce((sum, child) => sum + child.rssBytes, 0),
      eventLoopLagMs: Math.max(0, this.delays.max / 1e6 - PROBE_INTERVAL_MS),
    };
    this.delays.reset();
    this.sampledAt = now;
    return this.sample;
  }

  close(): void {
    this.delays.disable();
  }

  /** CPU time that this process and its living children used since the last call. */
  private cpuMsSince(children: readonly { readonly pid: number; readonly cpuMs: number }[]): number {
    const ownCpuMs = cpuMsOfSelf();
    let usedMs = ownCpuMs - this.ownCpuMs;
    for (const { pid, cpuMs } of children) usedMs += Math.max(0, cpuMs - (this.childCpuMs.get(pid) ?? 0));
    this.ownCpuMs = ownCpuMs;
    this.childCpuMs = new Map(children.map(({ pid, cpuMs }) => [pid, cpuMs]));
    return usedMs;
  }
}

function cpuMsOfSelf(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

/** Linux counts CPU in 1/100 s and memory in pages of 4 KiB on every machine that Node runs on by default. */
const TICK_MS = 10;
const PAGE_BYTES = 4096;

/** CPU time and memory of another process; zeros when it is gone or the system has no /proc. */
function readProcess(pid: number): { cpuMs: number; rssBytes: number } {
  try {
    // The name of the command stands in parentheses and may hold spaces: fields are counted from behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    const [userTicks = 0, systemTicks = 0, pages = 0] = [fields[11], fields[12], fields[21]].map(Number);
    return { cpuMs: (userTicks + systemTicks) * TICK_MS, rssBytes: pages * PAGE_BYTES };
  } catch {
    return { cpuMs: 0, rssBytes: 0 };
  }
}
