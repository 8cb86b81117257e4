import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import {
  type ExchangeFile,
  FragmentState,
  type RunFragmentRequest,
  type RunFragmentResponse,
  RunFragmentResponseSchema,
} from '@tutti/contracts/tutti/task/v1/task_pb';
import { isFragmentId, type RemoteFile } from '@tutti/exchange';
import { rpcError } from '@tutti/service';
import type { FragmentPart, FragmentReport, FragmentRequest, FragmentResult } from './fragment-run.js';

const STATES: Readonly<Record<FragmentReport['state'], FragmentState>> = {
  queued: FragmentState.QUEUED,
  fetching: FragmentState.FETCHING,
  running: FragmentState.RUNNING,
};

const EDGE_ADDRESS = /^[^\s/@?#]+:\d{1,5}$/;

/** A request to run a fragment. Throws INVALID_ARGUMENT. */
export function fragmentFromWire(request: RunFragmentRequest): FragmentRequest {
  const { taskId: session, fragmentId, fragment, inputs } = request;
  if (!isFragmentId(fragmentId))
    throw invalid(
      'fragment_id must be the name of a stage and two numbers with dots between them, such as 2-partial.0.1',
    );
  if (fragment.length === 0) throw invalid('fragment is needed: what is to run');
  const numbers = new Set(inputs.map(({ number }) => number));
  if (numbers.size < inputs.length) throw invalid('inputs must have different numbers');
  return {
    id: fragmentId,
    fragment,
    inputs: inputs.map(({ number, files }) => ({ number, files: files.map((file) => fileFromWire(file, session)) })),
  };
}

function fileFromWire({ taskId, edgeAddress, key, name, bytes }: ExchangeFile, session: string): RemoteFile {
  if (taskId === '' || name === '') throw invalid('a file needs task_id and name');
  if (taskId !== session && !EDGE_ADDRESS.test(edgeAddress))
    throw invalid(`file ${name} of another session needs edge_address, host:port`);
  if (bytes < 0n) throw invalid(`file ${name}: bytes must not be negative`);
  return { taskId, edgeAddress, key, name, bytes: Number(bytes) };
}

/** What happened to a fragment, for the wire. `taskId` is its session. */
export function fragmentPartToWire(part: FragmentPart, taskId: string): RunFragmentResponse {
  switch (part.kind) {
    case 'status':
      return create(RunFragmentResponseSchema, { part: { case: 'status', value: statusToWire(part.status) } });
    case 'rows':
      return create(RunFragmentResponseSchema, { part: { case: 'rows', value: part.rows } });
    case 'output':
      return create(RunFragmentResponseSchema, { part: { case: 'output', value: outputToWire(part.result, taskId) } });
  }
}

const statusToWire = (status: FragmentReport) => ({
  state: STATES[status.state],
  rows: whole(status.rows),
  elapsed: durationFromMs(Math.round(status.elapsedMs)),
  cpuTime: durationFromMs(Math.round(status.cpuMs)),
  memoryBytes: whole(status.memoryBytes),
  fetchedBytes: whole(status.fetchedBytes),
  inputBytes: whole(status.inputBytes),
});

const outputToWire = (result: FragmentResult, taskId: string) => ({
  rows: whole(result.rows),
  bytes: whole(result.bytes),
  files: result.files.map(({ name, bytes, rows, partition }) => ({
    ...{ taskId, name, partition },
    ...{ bytes: whole(bytes), rows: whole(rows) },
  })),
  ranges: result.ranges.map((range) => range ?? {}),
  elapsed: durationFromMs(Math.round(result.elapsedMs)),
  cpuTime: durationFromMs(Math.round(result.cpuMs)),
  inputWait: durationFromMs(Math.round(result.inputWaitMs)),
  peakMemoryBytes: whole(result.peakMemoryBytes),
  spilledBytes: whole(result.spilledBytes),
  fetchedBytes: whole(result.fetchedBytes),
});

const whole = (value: number): bigint => BigInt(Math.round(value));

const invalid = (message: string) => rpcError(Code.InvalidArgument, message, { reason: 'INVALID_ARGUMENT' });
