import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import type { TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import { TaskState } from '@tutti/contracts/tutti/task/v1/task_pb';
import { rpcError } from '@tutti/service';

type TaskEnd = 'die' | 'crash' | 'finish';

interface FakeTask {
  readonly statement: string;
  readonly group: string;
  end: ((end: TaskEnd) => void) | undefined;
}

/**
 * Runs tasks whose fragment says what they do: "rows N" yields N rows and ends; "hold" waits for `end`; "rows N hold"
 * does both; "big N" yields N batches of 256 KiB. Leaving the stream cancels a task, as on a real worker.
 */
export class FakeWorker {
  /** What the worker does with new tasks. */
  mode: 'accept' | 'busy' | 'draining' | 'unreachable' = 'accept';
  readonly tasks = new Map<string, FakeTask>();
  readonly created: string[] = [];
  readonly canceled: string[] = [];
  batchesSent = 0;

  /** Ends the task that holds; the first one when there are several. */
  end(end: TaskEnd): void {
    [...this.tasks.values()].find((task) => task.end)?.end?.(end);
  }

  readonly service: ServiceImpl<typeof TaskService> = {
    createTask: ({ taskId, fragment, resourceGroup }) => {
      // What the transport would say when nobody listens there.
      if (this.mode === 'unreachable') throw new ConnectError('No connection established', Code.Unavailable);
      if (this.mode === 'busy')
        throw rpcError(Code.ResourceExhausted, 'all executors are busy', { reason: 'WORKER_BUSY' });
      if (this.mode === 'draining') throw rpcError(Code.Unavailable, 'draining', { reason: 'WORKER_DRAINING' });
      this.created.push(taskId);
      this.tasks.set(taskId, { statement: new TextDecoder().decode(fragment), group: resourceGroup, end: undefined });
      return {};
    },

    fetchResults: (request, { signal }) => this.results(request.taskId, signal),

    cancelTask: ({ taskId }) => {
      this.canceled.push(taskId);
      this.tasks.delete(taskId);
      return {};
    },

    listTasks: () => ({}),
  };

  private async *results(taskId: string, signal: AbortSignal) {
    const task = this.tasks.get(taskId);
    if (task === undefined) throw rpcError(Code.NotFound, 'no such task', { reason: 'TASK_NOT_FOUND' });
    try {
      const rows = Number(/^rows (\d+)/.exec(task.statement)?.[1] ?? 0);
      const lines = Array.from({ length: rows }, (_, n) => `[${n}]\n`).join('');
      if (rows > 0) yield { part: { case: 'jsonLines' as const, value: new TextEncoder().encode(lines) } };
      const batches = Number(/^big (\d+)/.exec(task.statement)?.[1] ?? 0);
      for (let batch = 0; batch < batches && !signal.aborted; batch++) {
        this.batchesSent++;
        const line = `["${'x'.repeat((256 << 10) - 5)}"]\n`;
        yield { part: { case: 'jsonLines' as const, value: new TextEncoder().encode(line) } };
      }
      if (task.statement.includes('hold')) await this.held(task, signal);
      const state = TaskState.FINISHED;
      yield {
        part: { case: 'status' as const, value: { taskId, state, rows: BigInt(rows + batches), memoryBytes: 7n } },
      };
    } finally {
      this.tasks.delete(taskId);
    }
  }

  private held(task: FakeTask, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new ConnectError('canceled', Code.Canceled)), { once: true });
      task.end = (end) => {
        if (end === 'finish') return resolve();
        const crashed = rpcError(Code.Unavailable, 'The executor crashed.', { reason: 'EXECUTOR_CRASHED' });
        reject(end === 'crash' ? crashed : new ConnectError('the connection broke', Code.Unavailable));
      };
    });
  }
}
