import type { NodeStatus } from '@tutti/heartbeat';
import { statusToWire } from './task-codec.js';
import type { TaskRunner } from './task-runner.js';

/** What this worker says of itself in its heartbeats. */
export function workerStatus(tasks: TaskRunner, memoryLimitPerTaskBytes: number): NodeStatus {
  const running = tasks.unfinished();
  const usedBytes = running.reduce((sum, task) => sum + task.usage.memoryBytes, 0);
  return {
    case: 'worker',
    value: {
      memoryLimitBytes: BigInt(tasks.tasksMax) * BigInt(memoryLimitPerTaskBytes),
      memoryReservedBytes: BigInt(tasks.reservedBytes()),
      memoryUsedBytes: BigInt(Math.round(usedBytes)),
      tasksMax: tasks.tasksMax,
      tasks: running.map(statusToWire),
      tasksEnded: BigInt(tasks.endedCount),
    },
  };
}
