import type { NodeStatus } from '@tutti/heartbeat';
import { statusToWire } from './task-codec.js';
import { fencesKeptToWire } from '@tutti/lease-wire';
import type { TaskRunner } from './task-runner.js';
import type { WorkerFences } from './worker-fences.js';

/** What this worker says of itself in its heartbeats: its tasks, and the fences that it kept to, of one and the same moment. */
export function workerStatus(tasks: TaskRunner, fences: WorkerFences, memoryLimitPerTaskBytes: number): NodeStatus {
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
      fencesKept: fencesKeptToWire(fences.kept()),
    },
  };
}
