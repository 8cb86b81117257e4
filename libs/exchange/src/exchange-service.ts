import { type FileHandle, open } from 'node:fs/promises';
import { create } from '@bufbuild/protobuf';
import { Code, type ConnectError, type ServiceImpl } from '@connectrpc/connect';
import {
  type FetchExchangeRequest,
  FetchExchangeResponseSchema,
  type TaskService,
} from '@tutti/contracts/tutti/task/v1/task_pb';
import { rpcError } from '@tutti/service';
import type { ExchangeStore } from './exchange-store.js';
import type { HeldFile } from './fragment-files.js';

/** The bytes of one message. Loopback, MB/s: 250 with 256 KiB, 470 with 1 MiB. */
export const CHUNK_BYTES = 1024 * 1024;
/** When a reader that was refused may ask again. */
const RETRY_AFTER_MS = 200;

export interface ExchangeServiceOptions {
  readonly store: Pick<ExchangeStore, 'session' | 'counts'>;
  /** Streams at once. A stream holds two chunks, and what its connection buffers; more are refused with EXCHANGE_BUSY. */
  readonly streamsMax: number;
}

/** Serves the files of a store: see FetchExchange in task.proto. */
export function exchangeService(
  options: ExchangeServiceOptions,
): Pick<ServiceImpl<typeof TaskService>, 'fetchExchange'> {
  const { store, streamsMax } = options;
  let streams = 0;
  return {
    async *fetchExchange(request, { signal }) {
      const { file, closed } = asked(store, request);
      if (streams >= streamsMax) throw busy(streamsMax);
      streams++;
      try {
        const handle = await open(file.path, 'r').catch((error: unknown) => {
          throw lost(request, `it cannot be read: ${(error as Error).message}`);
        });
        try {
          for await (const chunk of chunksOf(handle, Number(request.offset), file.bytes)) {
            if (signal.aborted) return;
            if (closed.aborted) throw lost(request, 'its task has ended');
            yield create(FetchExchangeResponseSchema, { chunk });
            store.counts.servedBytes += chunk.length;
          }
        } finally {
          await handle.close();
        }
      } finally {
        streams--;
      }
    },
  };
}

/** The file that is asked for, if the asker may have it. */
function asked(
  store: Pick<ExchangeStore, 'session'>,
  request: FetchExchangeRequest,
): { file: HeldFile; closed: AbortSignal } {
  const session = store.session(request.taskId);
  if (session === undefined) throw lost(request, 'the worker does not know its task; it may have ended');
  if (!session.isKey(request.key))
    throw rpcError(Code.PermissionDenied, 'the key is not that of the task', { reason: 'PERMISSION_DENIED' });
  const file = session.file(request.name);
  if (file === undefined) throw lost(request, 'its task has no such file');
  if (request.offset < 0n || request.offset > BigInt(file.bytes))
    throw rpcError(Code.InvalidArgument, `offset must be from 0 to ${file.bytes}`, { reason: 'INVALID_ARGUMENT' });
  return { file, closed: session.closed };
}

/** The bytes of a file from `offset` to `end`; reads the next chunk while one is sent. */
async function* chunksOf(handle: FileHandle, offset: number, end: number): AsyncGenerator<Uint8Array> {
  let at = offset;
  const next = async (): Promise<Uint8Array> => {
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, end - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    at += bytesRead;
    return buffer.subarray(0, bytesRead);
  };
  let reading = next();
  try {
    for (;;) {
      const chunk = await reading;
      // A file that became shorter ends early: the reader knows its length.
      if (chunk.length === 0) return;
      const isLast = at >= end;
      if (!isLast) reading = next();
      yield chunk;
      if (isLast) return;
    }
  } finally {
    // The handle is closed after this: nobody may still read from it. Its error has no reader left.
    await reading.catch(() => undefined);
  }
}

const lost = ({ taskId, name }: FetchExchangeRequest, why: string): ConnectError =>
  rpcError(Code.Unavailable, `exchange file ${name} of task ${taskId}: ${why}`, {
    reason: 'EXCHANGE_LOST',
    metadata: { task: taskId, file: name },
  });

const busy = (streamsMax: number): ConnectError =>
  rpcError(Code.ResourceExhausted, `the worker sends ${streamsMax} exchange files already; ask again`, {
    reason: 'EXCHANGE_BUSY',
    retryAfterMs: RETRY_AFTER_MS,
    neverProcessed: true,
  });
