import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import type { TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import { TaskState } from '@tutti/contracts/tutti/task/v1/task_pb';
import { rpcError } from '@tutti/service';

type TaskEnd = 'die' | 'crash' | 'finish' | 'outOfMemory';
type TaskWord = { readonly end: TaskEnd } | { readonly memoryBytes: number; readonly cpuMs: number };

interface FakeTask {
  readonly statement: string;
  readonly group: string;
  readonly memoryLimitBytes: number;
  /** Used in all so far. */
  cpuMs: number;
  /** Tells a task that holds what to do or to say; undefined while it does not hold. */
  tell: ((word: TaskWord) => void) | undefined;
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
    this.holding?.tell?.({ end });
  }

  /** Lets the first task that holds report what it uses, the CPU time in all so far. */
  use(memoryBytes: number, cpuMs: number): void {
    this.holding?.tell?.({ memoryBytes, cpuMs });
  }

  get holding(): FakeTask | undefined {
    return [...this.tasks.values()].find((task) => task.tell);
  }

  readonly service: ServiceImpl<typeof TaskService> = {
    createTask: ({ taskId, fragment, resourceGroup, memoryLimitBytes }) => {
      // What the transport would say when nobody listens there.
      if (this.mode === 'unreachable') throw new ConnectError('No connection established', Code.Unavailable);
      if (this.mode === 'busy')
        throw rpcError(Code.ResourceExhausted, 'all executors are busy', { reason: 'WORKER_BUSY' });
      if (this.mode === 'draining') throw rpcError(Code.Unavailable, 'draining', { reason: 'WORKER_DRAINING' });
      this.created.push(taskId);
      this.tasks.set(taskId, {
        statement: new TextDecoder().decode(fragment),
        group: resourceGroup,
        memoryLimitBytes: Number(memoryLimitBytes),
        cpuMs: 0,
        tell: undefined,
      });
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
      if (task.statement.includes('hold')) yield* this.held(taskId, task, signal);
      const state = TaskState.FINISHED;
      const use = { rows: BigInt(rows + batches), memoryBytes: 7n, cpuTime: durationFromMs(task.cpuMs) };
      yield { part: { case: 'status' as const, value: { taskId, state, ...use } } };
    } finally {
      this.tasks.delete(taskId);
    }
  }

  private async *held(taskId: string, task: FakeTask, signal: AbortSignal) {
    const words: TaskWord[] = [];
    let wake = () => {};
    task.tell = (word) => {
      words.push(word);
      wake();
    };
    signal.addEventListener('abort', () => wake(), { once: true });
    for (;;) {
      if (signal.aborted) throw new ConnectError('canceled', Code.Canceled);
      const word = words.shift();
      if (word === undefined) await new Promise<void>((resolve) => (wake = resolve));
      else if (!('end' in word)) {
        task.cpuMs = word.cpuMs;
        yield statusPart(taskId, word);
      } else if (word.end === 'finish') return;
      else throw endErrors[word.end]();
    }
  }
}

const statusPart = (taskId: string, { memoryBytes, cpuMs }: { memoryBytes: number; cpuMs: number }) => ({
  part: {
    case: 'status' as const,
    value: {
      taskId,
      state: TaskState.RUNNING,
      memoryBytes: BigInt(memoryBytes),
      peakMemoryBytes: BigInt(memoryBytes),
      cpuTime: durationFromMs(cpuMs),
    },
  },
});

const endErrors = {
  die: () => new ConnectError('the connection broke', Code.Unavailable),
  crash: () => rpcError(Code.Unavailable, 'The executor crashed.', { reason: 'EXECUTOR_CRASHED' }),
  outOfMemory: () =>
    rpcError(Code.ResourceExhausted, 'The query needs more than its memory limit.', {
      reason: 'EXCEEDED_LOCAL_MEMORY_LIMIT',
    }),
};
