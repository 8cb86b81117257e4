import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { FakeClock } from '@tutti/base/testing';
import { ProcessMonitor } from './process-monitor.js';

describe('ProcessMonitor', () => {
  it('measures this process, and looks only once for all resource managers', async () => {
    const clock = new FakeClock();
    const monitor = new ProcessMonitor(clock);
    await clock.advance(1_000);
    const usage = monitor.usage();
    expect(usage.rssBytes).toBeGreaterThan(10 * 2 ** 20);
    expect(usage.cpuCores).toBeGreaterThanOrEqual(1);
    expect(usage.cpuUsedCores).toBeGreaterThanOrEqual(0);
    expect(usage.eventLoopLagMs).toBeGreaterThanOrEqual(0);
    await clock.advance(100);
    expect(monitor.usage()).toBe(usage);
    await clock.advance(200);
    expect(monitor.usage()).not.toBe(usage);
    monitor.close();
  });

  it('adds the memory of its children where the system tells, and survives their end', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log("up")'], { stdio: 'pipe' });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const clock = new FakeClock();
    const alone = new ProcessMonitor(clock);
    const together = new ProcessMonitor(clock, () => [child.pid ?? 0, 2 ** 30]);
    await clock.advance(1_000);
    const difference = together.usage().rssBytes - alone.usage().rssBytes;
    if (existsSync('/proc/self/stat')) expect(difference).toBeGreaterThan(10 * 2 ** 20);
    child.kill();
    await new Promise((resolve) => child.once('exit', resolve));
    await clock.advance(1_000);
    expect(together.usage().cpuUsedCores).toBeGreaterThanOrEqual(0);
    alone.close();
    together.close();
  });
});
