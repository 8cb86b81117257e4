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

/** The most that an output brings along, whatever is asked for. */
const CONTENT_BYTES_MAX = 256 << 10;

const EDGE_ADDRESS = /^[^\s/@?#]+:\d{1,5}$/;

/** A request to run a fragment. Throws INVALID_ARGUMENT. */
export function fragmentFromWire(request: RunFragmentRequest): FragmentRequest {
  const { taskId: session, fragmentId, fragment, inputs, contentBytesMax } = request;
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
    contentBytesMax: Math.min(contentBytesMax, CONTENT_BYTES_MAX),
  };
}

function fileFromWire({ taskId, edgeAddress, key, name, bytes, content }: ExchangeFile, session: string): RemoteFile {
  if (taskId === '' || name === '') throw invalid('a file needs task_id and name');
  if (taskId !== session && !EDGE_ADDRESS.test(edgeAddress))
    throw invalid(`file ${name} of another session needs edge_address, host:port`);
  if (bytes < 0n) throw invalid(`file ${name}: bytes must not be negative`);
  const file = { taskId, edgeAddress, key, name, bytes: Number(bytes) };
  if (content.length === 0) return file;
  if (content.length !== file.bytes) throw invalid(`file ${name}: content must have its ${bytes} bytes, or none`);
  return { ...file, content };
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
  files: result.files.map(({ name, bytes, rows, partition }, index) => ({
    ...{ taskId, name, partition },
    ...{ bytes: whole(bytes), rows: whole(rows) },
    content: result.contents[index] ?? NO_CONTENT,
  })),
  ranges: result.ranges.map((range) => range ?? {}),
  elapsed: durationFromMs(Math.round(result.elapsedMs)),
  cpuTime: durationFromMs(Math.round(result.cpuMs)),
  inputWait: durationFromMs(Math.round(result.inputWaitMs)),
  peakMemoryBytes: whole(result.peakMemoryBytes),
  spilledBytes: whole(result.spilledBytes),
  fetchedBytes: whole(result.fetchedBytes),
});

const NO_CONTENT = new Uint8Array();

const whole = (value: number): bigint => BigInt(Math.round(value));

const invalid = (message: string) => rpcError(Code.InvalidArgument, message, { reason: 'INVALID_ARGUMENT' });
