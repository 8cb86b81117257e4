import { Code } from '@connectrpc/connect';
import { create } from '@bufbuild/protobuf';
import { FakeClock } from '@tutti/base/testing';
import { type FetchResultsResponse, FetchResultsResponseSchema } from '@tutti/contracts/tutti/task/v1/task_pb';
import { aborted } from '@tutti/service';
import { TaskStreams } from './task-streams.js';

const never = new AbortController().signal;

/** A worker that takes the task, and one that does not answer. */
async function* answers(): AsyncGenerator<FetchResultsResponse> {
  yield create(FetchResultsResponseSchema, {});
}
async function* isSilent(signal: AbortSignal): AsyncGenerator<FetchResultsResponse> {
  await aborted(signal);
  throw new Error('canceled');
}

test('the stream of a task that was taken is there once', async () => {
  const streams = new TaskStreams(new FakeClock());
  await streams.open('q.0.0', answers, { signal: never, timeoutMs: 100 });
  expect(streams.take('q.0.0')).toBeDefined();
  expect(streams.take('q.0.0')).toBeUndefined();
});

test('a worker that does not answer in time is left', async () => {
  const clock = new FakeClock();
  const streams = new TaskStreams(clock);
  const opening = streams.open('q.0.0', isSilent, { signal: never, timeoutMs: 5_000 });
  const end = expect(opening).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  await clock.advance(5_000);
  await end;
  expect(streams.take('q.0.0')).toBeUndefined();
});
