import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import type { Clock, Instant } from '@tutti/base';
import type { TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import {
  type CreateTaskRequest,
  type FetchResultsRequest,
  type FragmentOutputSchema,
  type RunFragmentRequest,
  TaskState,
} from '@tutti/contracts/tutti/task/v1/task_pb';
import {
  LEASE_FENCED,
  LEASE_REQUIRED,
  type ShardFences,
  type ShardStamp,
  taskLeaseFromWire,
  WORKER_NOT_ENROLLED,
} from '@tutti/lease-wire';
import { type DeskReport, shardOfGroup, TaskFences } from '@tutti/resource-groups';
import { aborted, rpcError } from '@tutti/service';

type TaskEnd = 'die' | 'crash' | 'finish' | 'outOfMemory';
type TaskWord = { readonly end: TaskEnd } | { readonly memoryBytes: number; readonly cpuMs: number };

interface FakeTask {
  readonly queryId: string;
  readonly coordinatorId: string;
  readonly lease: ShardStamp | undefined;
  readonly statement: string;
  readonly group: string;
  readonly memoryLimitBytes: number;
  readonly createdAt: Instant;
  memoryBytes: number;
  /** Used in all so far. */
  cpuMs: number;
  /** Tells a task that holds what to do or to say; undefined while it does not hold. */
  tell: ((word: TaskWord) => void) | undefined;
}

/** What a fragment gives. */
export interface FakeOutcome {
  readonly lines?: string;
  readonly output: MessageInitShape<typeof FragmentOutputSchema>;
}

/**
 * Runs tasks whose fragment says what they do: "rows N" yields N rows and ends; "hold" waits for `end`; "rows N hold"
 * does both; "big N" yields N batches of 256 KiB; a session holds. Leaving the stream cancels a task, as on a real worker.
 */
export class FakeWorker {
  /** What the worker does with new tasks. */
  mode: 'accept' | 'busy' | 'draining' | 'unreachable' = 'accept';
  /** What the worker does when it is told to cancel a task. */
  canceling: 'confirm' | 'stay silent' = 'confirm';
  readonly tasks = new Map<string, FakeTask>();
  readonly created: string[] = [];
  readonly canceled: string[] = [];
  /** What the worker does when it is asked for its tasks. */
  listing: 'answer' | 'fail' | 'hang' = 'answer';
  listed = 0;
  batchesSent = 0;
  /** Tasks that are over; the worker still knows what they used. */
  private readonly over = new Map<string, FakeTask>();
  private readonly fences = new Map<number, TaskFences>();
  private reports = 0;
  /** The most tasks that ran at once. */
  peak = 0;
  /** Ids of the fragments that sessions were given. */
  readonly fragments: string[] = [];
  /** What becomes of a fragment. */
  onFragment: (request: RunFragmentRequest, signal: AbortSignal) => Promise<FakeOutcome> = async () => ({ output: {} });
  /** What the answer to a task that was taken waits for. */
  answering: Promise<void> = Promise.resolve();
  /** Called when a task was taken. */
  onCreated = () => {};

  constructor(
    private readonly id: string,
    private readonly clock: Clock,
  ) {}

  /** Takes in what owners of groups want refused. Whether it was new. */
  hear(lists: readonly ShardFences[]): boolean {
    let isNew = false;
    for (const { shard, list } of lists) {
      const fences = this.fences.get(shard) ?? new TaskFences();
      this.fences.set(shard, fences);
      const { epoch, version } = fences.kept;
      fences.hear(list);
      isNew ||= fences.kept.epoch !== epoch || fences.kept.version !== version;
    }
    return isNew;
  }

  /** The lease of a task that runs. */
  leaseOf(taskId: string): ShardStamp | undefined {
    return this.tasks.get(taskId)?.lease;
  }

  /** Refuses tasks of this lease, and of older ones of the same coordinator, as an owner would have it. */
  fence({ shard, stamp }: ShardStamp): void {
    const { epoch, version } = this.fences.get(shard)?.kept ?? { epoch: stamp.epoch, version: 0 };
    const fences = [stamp];
    const list = { epoch, version: version + 1, epochFloor: 0, fences, leasedRootGroups: [], exemptRootGroups: [] };
    this.hear([{ shard, list }]);
  }

  /** What it reports now. */
  report(): DeskReport {
    const kept = Array.from(this.fences, ([shard, fences]) => ({ shard, ...fences.kept }));
    const tasks = Array.from(this.tasks.values(), ({ coordinatorId, group, queryId, lease }) => ({
      ...{ coordinatorId, incarnation: lease?.stamp.incarnation ?? 0, group, queryId },
    }));
    return { workerId: this.id, incarnation: 1, sequence: ++this.reports, kept, tasks };
  }

  /** Ends the task that holds; the first one when there are several. */
  end(end: TaskEnd): void {
    this.holding?.tell?.({ end });
  }

  /** Lets the first task that holds report what it uses, the CPU time in all so far. */
  use(memoryBytes: number, cpuMs: number): void {
    this.holding?.tell?.({ memoryBytes, cpuMs });
  }

  /** The first task uses this from now on, which its stream does not tell: nobody reads that. */
  useUnread(memoryBytes: number, cpuMs: number): void {
    const [task] = this.tasks.values();
    if (task) Object.assign(task, { memoryBytes, cpuMs });
  }

  get holding(): FakeTask | undefined {
    return [...this.tasks.values()].find((task) => task.tell);
  }

  readonly service: Partial<ServiceImpl<typeof TaskService>> = {
    createTask: async (request) => {
      await this.take(request);
      return {};
    },

    fetchResults: (request, { signal }) => this.results(request, signal),

    runFragment: (request, { signal }) => this.fragment(request, signal),

    cancelTask: ({ taskId }) => {
      this.canceled.push(taskId);
      if (this.canceling === 'stay silent') throw new ConnectError('no answer', Code.DeadlineExceeded);
      const task = this.tasks.get(taskId) ?? this.over.get(taskId);
      this.tasks.delete(taskId);
      return task === undefined ? {} : { task: this.statusOf(taskId, TaskState.CANCELED, task) };
    },

    listTasks: async (_, { signal }) => {
      this.listed++;
      if (this.mode === 'unreachable' || this.listing === 'fail') throw new ConnectError('gone', Code.Unavailable);
      if (this.listing === 'hang') await aborted(signal);
      return { tasks: [...this.tasks].map(([taskId, task]) => this.statusOf(taskId, TaskState.RUNNING, task)) };
    },
  };

  private async take(request: CreateTaskRequest): Promise<void> {
    const { taskId, queryId, coordinatorId, fragment, resourceGroup, memoryLimitBytes } = request;
    // What the transport would say when nobody listens there.
    if (this.mode === 'unreachable') throw new ConnectError('No connection established', Code.Unavailable);
    if (this.mode === 'busy')
      throw rpcError(Code.ResourceExhausted, 'all executors are busy', { reason: 'WORKER_BUSY' });
    if (this.mode === 'draining') throw rpcError(Code.Unavailable, 'draining', { reason: 'WORKER_DRAINING' });
    const lease = request.lease && taskLeaseFromWire(request.lease, coordinatorId);
    this.judge(request, lease);
    this.created.push(taskId);
    this.tasks.set(taskId, {
      queryId,
      coordinatorId,
      lease,
      statement: statementOf(fragment),
      group: resourceGroup,
      memoryLimitBytes: Number(memoryLimitBytes),
      createdAt: this.clock.now(),
      memoryBytes: 0,
      cpuMs: 0,
      tell: undefined,
    });
    this.peak = Math.max(this.peak, this.tasks.size);
    this.onCreated();
    await this.answering;
  }

  private judge({ resourceGroup }: CreateTaskRequest, lease: ShardStamp | undefined): void {
    const fences = this.fences.get(shardOfGroup(resourceGroup)) ?? new TaskFences();
    const verdict = fences.judge(lease?.stamp, resourceGroup);
    if (verdict === 'accepted') return;
    const reason = { fenced: LEASE_FENCED, leaseRequired: LEASE_REQUIRED, notEnrolled: WORKER_NOT_ENROLLED }[verdict];
    const code = verdict === 'notEnrolled' ? Code.Unavailable : Code.FailedPrecondition;
    throw rpcError(code, `the worker ${this.id} refuses the task`, { reason, neverProcessed: true });
  }

  private async *results({ taskId, create }: FetchResultsRequest, signal: AbortSignal) {
    if (create !== undefined) await this.take(create);
    const task = this.tasks.get(taskId);
    if (task === undefined) throw rpcError(Code.NotFound, 'no such task', { reason: 'TASK_NOT_FOUND' });
    try {
      if (create !== undefined)
        yield { part: { case: 'status' as const, value: this.statusOf(taskId, TaskState.RUNNING, task) } };
      const rows = Number(/^rows (\d+)/.exec(task.statement)?.[1] ?? 0);
      const lines = Array.from({ length: rows }, (_, n) => `[${n}]\n`).join('');
      if (rows > 0) yield { part: { case: 'jsonLines' as const, value: new TextEncoder().encode(lines) } };
      const batches = Number(/^big (\d+)/.exec(task.statement)?.[1] ?? 0);
      for (let batch = 0; batch < batches && !signal.aborted; batch++) {
        this.batchesSent++;
        const line = `["${'x'.repeat((256 << 10) - 5)}"]\n`;
        yield { part: { case: 'jsonLines' as const, value: new TextEncoder().encode(line) } };
      }
      if (/hold|"kind":"session"/.test(task.statement)) yield* this.held(taskId, task, signal);
      const status = this.statusOf(taskId, TaskState.FINISHED, { ...task, memoryBytes: 7 });
      yield { part: { case: 'status' as const, value: { ...status, rows: BigInt(rows + batches) } } };
    } finally {
      this.tasks.delete(taskId);
      this.over.set(taskId, task);
    }
  }

  /** What `onFragment` makes of a fragment: rows and files, or an error. */
  private async *fragment(request: RunFragmentRequest, signal: AbortSignal) {
    const isLate = () => request.awaitsSession && !signal.aborted && !this.created.includes(request.taskId);
    for (let turns = 0; turns < 1_000 && isLate(); turns++) await new Promise((resolve) => setImmediate(resolve));
    if (!this.tasks.has(request.taskId)) throw rpcError(Code.NotFound, 'no session', { reason: 'TASK_NOT_FOUND' });
    this.fragments.push(request.fragmentId);
    const { lines, output } = await this.onFragment(request, signal);
    if (lines !== undefined) yield { part: { case: 'rows' as const, value: new TextEncoder().encode(lines) } };
    yield { part: { case: 'output' as const, value: output } };
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
        Object.assign(task, word);
        yield { part: { case: 'status' as const, value: this.statusOf(taskId, TaskState.RUNNING, task) } };
      } else if (word.end === 'finish') return;
      else throw endErrors[word.end]();
    }
  }

  private statusOf(taskId: string, state: TaskState, { memoryBytes, cpuMs, createdAt }: FakeTask) {
    return {
      taskId,
      state,
      memoryBytes: BigInt(memoryBytes),
      peakMemoryBytes: BigInt(memoryBytes),
      cpuTime: durationFromMs(Math.round(cpuMs)),
      elapsed: durationFromMs(Math.round(this.clock.now() - createdAt)),
    };
  }
}

const endErrors = {
  die: () => new ConnectError('the connection broke', Code.Unavailable),
  crash: () => rpcError(Code.Unavailable, 'The executor crashed.', { reason: 'EXECUTOR_CRASHED' }),
  outOfMemory: () =>
    rpcError(Code.ResourceExhausted, 'The query needs more than its memory limit.', {
      reason: 'EXCEEDED_LOCAL_MEMORY_LIMIT',
    }),
};

/** The statement of a fragment; of a session all that it says. */
function statementOf(fragment: Uint8Array): string {
  const text = new TextDecoder().decode(fragment);
  const { sql = text } = JSON.parse(text) as { sql?: string };
  return sql;
}
