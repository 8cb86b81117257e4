// A Transport of Connect over a grpc-js channel: createClient(Service, transport) works as with any other.
import type { DescMessage, DescMethodStreaming, DescMethodUnary, Message, MessageShape } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type Transport,
  type UnaryRequest,
  type UnaryResponse,
  createContextValues,
} from '@connectrpc/connect';
import { runStreamingCall, runUnaryCall } from '@connectrpc/connect/protocol';
import type { CallOptions, Client, ClientDuplexStream, Metadata, StatusObject } from '@grpc/grpc-js';
import { methodDefinition } from './definition.js';
import { fromStatus, headersToMetadata, metadataToHeaders } from './metadata.js';

export interface GrpcJsTransportOptions {
  readonly client: Client;
  readonly url: string;
  readonly interceptors: Interceptor[];
  /** For unary calls that name no timeout. Zero and less in a call means: none. */
  readonly defaultTimeoutMs: number;
}

export function createGrpcJsTransport(options: GrpcJsTransportOptions): Transport {
  const { client, url, interceptors } = options;
  return {
    unary(method, signal, timeout, header, message, contextValues) {
      const timeoutMs = timeout === undefined ? options.defaultTimeoutMs : timeout;
      return runUnaryCall({
        interceptors,
        ...given('signal', signal),
        ...(timeoutMs > 0 ? { timeoutMs } : {}),
        req: {
          stream: false,
          service: method.parent,
          method,
          requestMethod: 'POST',
          url: `${url}/${method.parent.typeName}/${method.name}`,
          header: new Headers(header),
          contextValues: contextValues ?? createContextValues(),
          message,
        },
        next: (request) => unaryCall(client, request, deadlineIn(timeoutMs)),
      });
    },
    stream(method, signal, timeoutMs = 0, header, message, contextValues) {
      return runStreamingCall({
        interceptors,
        ...given('signal', signal),
        ...(timeoutMs > 0 ? { timeoutMs } : {}),
        req: {
          stream: true,
          service: method.parent,
          method,
          requestMethod: 'POST',
          url: `${url}/${method.parent.typeName}/${method.name}`,
          header: new Headers(header),
          contextValues: contextValues ?? createContextValues(),
          message,
        },
        next: (request) => Promise.resolve(streamCall(client, request, deadlineIn(timeoutMs))),
      });
    },
  };
}

const given = <K extends string, V>(name: K, value: V | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [P in K]?: V };

const deadlineIn = (timeoutMs: number): CallOptions => (timeoutMs > 0 ? { deadline: Date.now() + timeoutMs } : {});

function unaryCall<I extends DescMessage, O extends DescMessage>(
  client: Client,
  request: UnaryRequest<I, O>,
  callOptions: CallOptions,
): Promise<UnaryResponse<I, O>> {
  const method: DescMethodUnary<I, O> = request.method;
  const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
  return new Promise((resolve, reject) => {
    const header = new Headers();
    let message: MessageShape<O> | undefined;
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request.message,
      headersToMetadata(request.header),
      callOptions,
      (error, value) => {
        if (error !== null) reject(fromStatus(error));
        else message = value as MessageShape<O> | undefined;
      },
    );
    const cancel = () => call.cancel();
    request.signal.addEventListener('abort', cancel, { once: true });
    if (request.signal.aborted) cancel();
    call.on('metadata', (metadata: Metadata) => append(header, metadata));
    // Comes after the callback above; with OK it brings the trailers.
    call.on('status', (status: StatusObject) => {
      request.signal.removeEventListener('abort', cancel);
      if (message === undefined) return reject(new ConnectError('missing response message', Code.Unimplemented));
      const trailer = metadataToHeaders(status.metadata);
      resolve({ stream: false, service: method.parent, method, header, trailer, message });
    });
  });
}

function streamCall<I extends DescMessage, O extends DescMessage>(
  client: Client,
  request: StreamRequest<I, O>,
  callOptions: CallOptions,
): StreamResponse<I, O> {
  const method: DescMethodStreaming<I, O> = request.method;
  const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
  // Every kind of stream is the same on the wire.
  const call = client.makeBidiStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    headersToMetadata(request.header),
    callOptions,
  );
  const header = new Headers();
  const trailer = new Headers();
  const sending = new Sending(call, request.message);
  const cancel = () => call.cancel();
  const status = new Promise<StatusObject>((resolve) => {
    call.on('status', (received: StatusObject) => {
      request.signal.removeEventListener('abort', cancel);
      append(trailer, received.metadata);
      sending.stop();
      resolve(received);
    });
  });
  call.on('metadata', (metadata: Metadata) => append(header, metadata));
  call.on('error', () => undefined); // The same news as the status, which is reported through the responses.
  request.signal.addEventListener('abort', cancel, { once: true });
  if (request.signal.aborted) cancel();
  void sending.run();
  const message = responsesOf<MessageShape<O>>(call, status, sending);
  return { stream: true, service: method.parent, method, header, trailer, message };
}

type Call = ClientDuplexStream<Message, Message>;

/** Writes the requests of a stream, never ahead of what the channel takes. */
class Sending {
  /** What the caller's own iterable threw: that, and not "canceled", is then the error of the call. */
  failure: { readonly error: unknown } | undefined;
  private over = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly call: Call,
    private readonly messages: AsyncIterable<Message>,
  ) {}

  async run(): Promise<void> {
    const iterator = this.messages[Symbol.asyncIterator]();
    try {
      while (!this.over) {
        const result = await iterator.next();
        if (result.done === true) {
          this.call.end();
          return;
        }
        if (!this.over && !this.call.write(result.value)) await this.drained();
      }
      await iterator.return?.();
    } catch (error) {
      this.failure = { error };
      this.call.cancel();
    }
  }

  /** The call has ended: nobody takes requests any more. */
  stop(): void {
    this.over = true;
    this.wake();
  }

  private drained(): Promise<void> {
    if (this.over) return Promise.resolve();
    return new Promise((resolve) => {
      this.wake = resolve;
      this.call.once('drain', resolve);
    });
  }
}

function responsesOf<T>(call: Call, status: Promise<StatusObject>, sending: Sending): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = call.iterator({ destroyOnReturn: false }) as AsyncIterator<T>;
      return {
        async next() {
          try {
            const result = await iterator.next();
            if (result.done !== true) return result;
          } catch {
            // The status says why.
          }
          const end = await status;
          if (end.code === 0) return { done: true, value: undefined };
          if (sending.failure !== undefined) throw ConnectError.from(sending.failure.error, Code.Internal);
          throw fromStatus(end);
        },
        return() {
          call.cancel();
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}

function append(target: Headers, metadata: Metadata | undefined): void {
  metadataToHeaders(metadata).forEach((value, key) => target.append(key, value));
}
