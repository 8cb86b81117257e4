import { Code, type ServiceImpl } from '@connectrpc/connect';
import { type Clock, sleep, type TaskId } from '@tutti/base';
import {
  type FetchResultsResponse,
  FetchResultsResponseSchema,
  type TaskService,
} from '@tutti/contracts/tutti/task/v1/task_pb';
import { create } from '@bufbuild/protobuf';
import { ColumnsSchema } from '@tutti/contracts/tutti/query/v1/query_pb';
import { type Column, TaskError, type TaskRun } from '@tutti/engine';
import { rpcError } from '@tutti/service';
import { requestFromWire, statusToWire } from './task-codec.js';
import { refused, stillStopping, taskFailed, taskStopped } from './task-errors.js';
import type { TaskRunner } from './task-runner.js';
import { withTicks } from './with-ticks.js';

export interface TaskServiceOptions {
  readonly tasks: TaskRunner;
  readonly memoryLimitMaxBytes: number;
  /** How long the end of a task waits for the executor; it covers the interrupt, its grace and the kill. */
  readonly releaseWaitMs: number;
  readonly clock: Clock;
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
  return {
    createTask(wire) {
      const request = requestFromWire(wire, options.memoryLimitMaxBytes);
      const refusal = tasks.create(request);
      if (refusal !== undefined) throw refused(refusal, tasks.tasksMax);
      const task = statusOf(request.taskId);
      return task === undefined ? {} : { task };
    },

    async *fetchResults(request, { signal }) {
      const taskId = request.taskId as TaskId;
      const reading = tasks.read(taskId);
      if (reading.kind === 'refuse') throw refused(reading, tasks.tasksMax);
      // Not left to the end of this generator: whoever left may never ask it for another message.
      const leave = () => tasks.apply({ kind: 'readerLeft', taskId });
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
      try {
        const tick = () => partOf(taskId, statusOf);
        for await (const part of withTicks(partsOf(reading.run), { clock, intervalMs: STATUS_INTERVAL_MS, tick }))
          yield create(FetchResultsResponseSchema, { part });
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

    listTasks() {
      return { tasks: tasks.reports().map(statusToWire) };
    },
  };
}

/** The columns, then the rows. */
async function* partsOf(run: Promise<TaskRun>): AsyncGenerator<Part> {
  const { columns, batches } = await run;
  yield { case: 'columns', value: columnsToWire(columns) };
  for await (const lines of batches) yield { case: 'jsonLines', value: lines };
}

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
  if (error instanceof TaskError) return taskFailed(error);
  return rpcError(Code.Internal, 'the worker failed; its log says why', { reason: 'INTERNAL_ERROR' });
}
