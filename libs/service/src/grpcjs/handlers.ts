// Serves a Connect implementation on a grpc-js server.
//   H1. Only pump() writes, and it never writes while the peer has not taken what was written before.
//   H2. A call that ends, in whatever way, runs the `finally` blocks of its handler.
//   H3. A handler's error reaches the peer with its code, message, details and metadata.
import type { EventEmitter } from 'node:events';
import type { DescMethod, MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError, type Interceptor, createHandlerContext } from '@connectrpc/connect';
import type { MethodImplSpec } from '@connectrpc/connect';
import { invokeUnaryImplementation, transformInvokeImplementation } from '@connectrpc/connect/protocol';
import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
  sendUnaryData,
} from '@grpc/grpc-js';
import type { Mounted } from '../router.js';
import { nextOrAbort } from '../abortable.js';
import { headersToMetadata, metadataToHeaders, toStatus } from './metadata.js';

type AnyMessage = MessageShape<DescMethod['input']>;
type Unary = ServerUnaryCall<AnyMessage, AnyMessage>;
type Reading = ServerReadableStream<AnyMessage, AnyMessage> | ServerDuplexStream<AnyMessage, AnyMessage>;
type Writing = ServerWritableStream<AnyMessage, AnyMessage> | ServerDuplexStream<AnyMessage, AnyMessage>;
type Context = ReturnType<typeof createHandlerContext>;

export interface HandlerOptions {
  readonly interceptors: Interceptor[];
  readonly shutdownSignal: AbortSignal;
}

/** The handlers of a mounted service. Methods that it does not implement are left out: grpc-js answers UNIMPLEMENTED. */
export function serviceHandlers(mounted: Mounted, options: HandlerOptions): UntypedServiceImplementation {
  const handlers: UntypedServiceImplementation = {};
  const implementation = mounted.implementation as Record<string, ((...args: never[]) => unknown) | undefined>;
  for (const method of mounted.service.methods) {
    const run = implementation[method.localName];
    if (run === undefined) continue;
    const spec = { kind: method.methodKind, method, impl: run.bind(implementation) } as unknown as MethodImplSpec;
    handlers[method.localName] = handlerOf(method, spec, options);
  }
  return handlers;
}

function handlerOf(method: DescMethod, spec: MethodImplSpec, options: HandlerOptions) {
  const { interceptors } = options;
  switch (spec.kind) {
    case 'unary':
      return (call: Unary, done: sendUnaryData<AnyMessage>) => {
        const context = begin(call, method, options);
        void answer(call, context, done, () => invokeUnaryImplementation(spec, context, call.request, interceptors));
      };
    case 'client_streaming':
      return (call: ServerReadableStream<AnyMessage, AnyMessage>, done: sendUnaryData<AnyMessage>) => {
        const context = begin(call, method, options);
        const responses = transformInvokeImplementation(spec, context, interceptors)(readAll(call, context.signal));
        void answer(call, context, done, () => only(responses));
      };
    case 'server_streaming':
      return (call: ServerWritableStream<AnyMessage, AnyMessage>) => {
        const context = begin(call, method, options);
        void pump(call, context, transformInvokeImplementation(spec, context, interceptors)(one(call.request)));
      };
    case 'bidi_streaming':
      return (call: ServerDuplexStream<AnyMessage, AnyMessage>) => {
        const context = begin(call, method, options);
        const requests = readAll(call, context.signal);
        void pump(call, context, transformInvokeImplementation(spec, context, interceptors)(requests));
      };
  }
}

/** The context of Connect for a call of grpc-js: headers, deadline, and a signal that aborts with the call. */
function begin(call: Unary | Reading | Writing, method: DescMethod, options: HandlerOptions): Context {
  const cancel = new AbortController();
  const events: EventEmitter = call;
  events.on('cancelled', () => cancel.abort(new ConnectError('the client canceled the call', Code.Canceled)));
  const deadline = Number(call.getDeadline());
  return createHandlerContext({
    service: method.parent,
    method,
    protocolName: 'grpc',
    requestMethod: 'POST',
    url: `http://grpc${call.getPath()}`,
    ...(Number.isFinite(deadline) ? { timeoutMs: deadline - Date.now() } : {}),
    requestSignal: cancel.signal,
    shutdownSignal: options.shutdownSignal,
    requestHeader: metadataToHeaders(call.metadata),
  });
}

async function answer(
  call: Unary | ServerReadableStream<AnyMessage, AnyMessage>,
  context: Context,
  done: sendUnaryData<AnyMessage>,
  run: () => Promise<AnyMessage>,
): Promise<void> {
  try {
    const message = await run();
    context.abort();
    sendHeaders(call, context);
    done(null, message, headersToMetadata(context.responseTrailer));
  } catch (error) {
    context.abort(error);
    done(toStatus(error, context.responseTrailer));
  }
}

async function pump(call: Writing, context: Context, responses: AsyncIterable<AnyMessage>): Promise<void> {
  const iterator = responses[Symbol.asyncIterator]();
  try {
    for (let first = true; ; first = false) {
      const result = await iterator.next();
      if (first) sendHeaders(call, context);
      if (result.done === true) break;
      if (context.signal.aborted) throw context.signal.reason;
      if (!call.write(result.value)) await drained(call, context.signal);
    }
    context.abort();
    call.end(headersToMetadata(context.responseTrailer));
  } catch (error) {
    context.abort(error);
    // The error below is the outcome of the call; what a finally block throws after it has nobody left to hear it.
    void iterator.return?.().catch(() => undefined);
    if (!call.cancelled) call.emit('error', toStatus(error, context.responseTrailer));
  }
}

/** Resolves when the peer has taken what was written; rejects when the call is aborted, since then it never will. */
function drained(call: Writing, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      call.off('drain', settle);
      signal.removeEventListener('abort', settle);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    };
    call.once('drain', settle);
    signal.addEventListener('abort', settle, { once: true });
    if (signal.aborted) settle();
  });
}

/** The requests of a call. Unlike `for await` over the call itself, its end leaves the way open for the trailers. */
function readAll(call: Reading, signal: AbortSignal): AsyncIterable<AnyMessage> {
  return {
    [Symbol.asyncIterator]() {
      // The plain iterator destroys the duplex when the peer half-closes, and the status is never sent (nodejs/node#49073).
      const iterator = call.iterator({ destroyOnReturn: false }) as AsyncIterator<AnyMessage>;
      return {
        async next() {
          const result = await nextOrAbort(iterator, signal);
          if (result.done === true && call.cancelled)
            throw new ConnectError('the client canceled the call', Code.Canceled);
          return result;
        },
      };
    },
  };
}

const sendHeaders = (call: Unary | Reading | Writing, context: Context): void =>
  call.sendMetadata(headersToMetadata(context.responseHeader));

async function* one<T>(value: T): AsyncIterable<T> {
  yield value;
}

async function only<T>(values: AsyncIterable<T>): Promise<T> {
  let found: { value: T } | undefined;
  for await (const value of values) found = { value };
  if (found === undefined) throw new ConnectError('the handler gave no response', Code.Internal);
  return found.value;
}
