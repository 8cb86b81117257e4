import { Code, type ServiceImpl } from '@connectrpc/connect';
import { type Clock, sleep, type TaskId } from '@tutti/base';
import {
  type CreateTaskRequest,
  type FetchResultsResponse,
  FetchResultsResponseSchema,
  type TaskService,
} from '@tutti/contracts/tutti/task/v1/task_pb';
import { create } from '@bufbuild/protobuf';
import { ColumnsSchema } from '@tutti/contracts/tutti/query/v1/query_pb';
import { type Column, TaskError } from '@tutti/engine';
import { ExchangeError } from '@tutti/exchange';
import { type Log, rpcError } from '@tutti/service';
import { requestFromWire, statusToWire } from './task-codec.js';
import { fragmentFromWire, fragmentPartToWire } from './fragment-codec.js';
import { exchangeFailed, fragmentRefused, refused, stillStopping, taskFailed, taskStopped } from './task-errors.js';
import type { SessionTask } from './session-task.js';
import type { TaskRunner, TaskWork } from './task-runner.js';
import type { WorkerExchange } from './worker-exchange.js';
import { withTicks } from './with-ticks.js';

export interface TaskServiceOptions {
  readonly tasks: TaskRunner;
  readonly exchange: Pick<WorkerExchange, 'service'>;
  readonly memoryLimitMaxBytes: number;
  /** How long the end of a task waits for the executor; it covers the interrupt, its grace and the kill. */
  readonly releaseWaitMs: number;
  /** So many bytes of a result have been given to the connection of a coordinator. */
  readonly onPassedBytes?: ((bytes: number) => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const STATUS_INTERVAL_MS = 300;

type Part = FetchResultsResponse['part'];

/** Serves tasks: see task.proto. */
export function taskService(options: TaskServiceOptions): ServiceImpl<typeof TaskService> {
  const { tasks, clock } = options;
  const statusOf = (taskId: TaskId) => {
    const report = tasks.report(taskId);
    return report === undefined ? undefined : statusToWire(report);
  };
  /** Waits until no executor works on the task; false when it takes too long. */
  const isReleased = async (taskId: TaskId): Promise<boolean> => {
    const late = new AbortController();
    const tooLate = sleep(clock, options.releaseWaitMs, late.signal).then(() => false);
    const released = await Promise.race([tasks.released(taskId).then(() => true), tooLate]);
    late.abort();
    return released;
  };
  const take = (wire: CreateTaskRequest): TaskId => {
    const request = requestFromWire(wire, options.memoryLimitMaxBytes);
    const refusal = tasks.create(request);
    if (refusal !== undefined) throw refused(refusal, tasks.tasksMax);
    return request.taskId;
  };
  return {
    createTask(wire) {
      const task = statusOf(take(wire));
      return task === undefined ? {} : { task };
    },

    async *fetchResults(request, { signal }) {
      const taskId = request.taskId as TaskId;
      if (request.create !== undefined) {
        if (request.create.taskId !== taskId) throw otherTask();
        take(request.create);
      }
      const reading = tasks.read(taskId);
      if (reading.kind === 'refuse') throw refused(reading, tasks.tasksMax);
      // Not left to the end of this generator: whoever left may never ask it for another message.
      const leave = () => tasks.apply({ kind: 'readerLeft', taskId });
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
      try {
        const tick = () => partOf(taskId, statusOf);
        if (request.create !== undefined) yield create(FetchResultsResponseSchema, { part: tick() });
        for await (const part of withTicks(partsOf(reading.work, tick), {
          clock,
          intervalMs: STATUS_INTERVAL_MS,
          tick,
        })) {
          if (part.case === 'jsonLines') options.onPassedBytes?.(part.value.length);
          yield create(FetchResultsResponseSchema, { part });
        }
        tasks.finish(taskId);
        yield create(FetchResultsResponseSchema, { part: partOf(taskId, statusOf) });
      } catch (error) {
        const end = endOf(taskId, error, tasks);
        // Who hears of the end counts the task no more.
        await isReleased(taskId);
        throw end;
      } finally {
        signal.removeEventListener('abort', leave);
        leave();
      }
    },

    async cancelTask({ taskId: id }) {
      const taskId = id as TaskId;
      const refusal = tasks.cancel(taskId);
      if (refusal !== undefined) throw refused(refusal, tasks.tasksMax);
      if (!(await isReleased(taskId))) throw stillStopping();
      const task = statusOf(taskId);
      return task === undefined ? {} : { task };
    },

    async *runFragment(request, { signal }) {
      const taskId = request.taskId as TaskId;
      const fragment = fragmentFromWire(request);
      const session = request.awaitsSession ? await tasks.sessionSoon(taskId, signal) : tasks.session(taskId);
      if (typeof session === 'string') throw fragmentRefused(session, fragment.id);
      const parts = session.run(fragment, signal);
      if (typeof parts === 'string') throw fragmentRefused(parts, fragment.id);
      try {
        for await (const part of parts) {
          if (part.kind === 'rows') options.onPassedBytes?.(part.rows.length);
          yield fragmentPartToWire(part, taskId);
        }
      } catch (error) {
        if (signal.aborted) throw error;
        throw fragmentEnd(taskId, error, options);
      }
    },

    fetchExchange: (request, context) => options.exchange.service.fetchExchange(request, context),

    listTasks() {
      return { tasks: tasks.reports().map(statusToWire) };
    },
  };
}

/** The columns, then the rows; of a session nothing but its status, when it can take fragments. */
async function* partsOf(work: TaskWork, status: () => Part): AsyncGenerator<Part> {
  if (work.kind === 'session') {
    yield* statusOfSession(work.session, status);
    return;
  }
  const { columns, batches } = await work.run;
  yield { case: 'columns', value: columnsToWire(columns) };
  for await (const lines of batches) yield { case: 'jsonLines', value: lines };
}

async function* statusOfSession(session: SessionTask, status: () => Part): AsyncGenerator<Part> {
  await Promise.race([session.opened, session.failed]);
  yield status();
  await session.failed;
}

const otherTask = () => rpcError(Code.InvalidArgument, 'create.task_id is not task_id', { reason: 'INVALID_ARGUMENT' });

const columnsToWire = (columns: readonly Column[]) =>
  create(ColumnsSchema, { columns: columns.map(({ name, type }) => ({ name, type })) });

function partOf(taskId: TaskId, statusOf: (taskId: TaskId) => ReturnType<typeof statusToWire> | undefined): Part {
  const status = statusOf(taskId);
  return status === undefined ? { case: undefined } : { case: 'status', value: status };
}

/** What the reader is told; a task that was stopped says why, whatever the engine made of it. */
function endOf(taskId: TaskId, error: unknown, tasks: TaskRunner): Error {
  const stopped = tasks.stopReason(taskId);
  if (stopped !== undefined) return taskStopped(stopped);
  tasks.noteFailure(taskId, error);
  return failureOf(error);
}

/** What the reader of a fragment is told. The session lives on, unless it was the session that ended. */
function fragmentEnd(taskId: TaskId, error: unknown, { tasks, log }: TaskServiceOptions): Error {
  const stopped = tasks.stopReason(taskId);
  if (stopped !== undefined) return taskStopped(stopped);
  if (!(error instanceof TaskError || error instanceof ExchangeError)) log.error('fragment-failed', { taskId, error });
  return failureOf(error);
}

function failureOf(error: unknown): Error {
  if (error instanceof TaskError) return taskFailed(error);
  if (error instanceof ExchangeError) return exchangeFailed(error);
  return rpcError(Code.Internal, 'the worker failed; its log says why', { reason: 'INTERNAL_ERROR' });
}
