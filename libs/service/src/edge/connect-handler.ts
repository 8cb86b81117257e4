import type { DescMethod, DescService } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type ConnectRouterOptions,
  createConnectRouter,
  createContextValues,
} from '@connectrpc/connect';
import { createAsyncIterable, type UniversalServerResponse } from '@connectrpc/connect/protocol';
import {
  type connectNodeAdapter,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import type { Log } from '../log.js';
import type { Mounted } from '../router.js';
import type { HttpHandler } from './edge-server.js';
import { type LargeResponses, largeResponsesKey, standIns, withLargeResponses } from './large-responses.js';

export type NodeHandler = ReturnType<typeof connectNodeAdapter>;

/**
 * Serves mounted services on Node's HTTP servers in all protocols of Connect. The same as connectNodeAdapter, except that
 * a broken connection is an event in our log: that one writes it to the console.
 */
export function connectHandler(
  mounted: readonly Mounted[],
  options: ConnectRouterOptions & { readonly fallback: HttpHandler; readonly log: Log },
): NodeHandler {
  const { fallback, log, ...routerOptions } = options;
  // People write JSON by hand: a misspelt field or value must not be dropped in silence.
  const router = createConnectRouter({
    ...routerOptions,
    interceptors: [standIns, ...(routerOptions.interceptors ?? [])],
    jsonOptions: { ignoreUnknownFields: false },
  });
  for (const { service, implementation } of mounted) router.service(service, implementation);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get(request.url?.split('?', 1)[0] ?? '');
    if (handler === undefined) return fallback(request, response);
    serveCall().catch((error: unknown) => {
      const { service, method } = handler;
      const failed = { service: service.typeName, method: method.name };
      // The client has gone, or the connection broke: the handler was told through its signal.
      if (!isOfClient(ConnectError.from(error))) log.debug('answer-not-sent', { ...failed, error });
    });

    async function serveCall(): Promise<void> {
      const waiting: LargeResponses = [];
      const contextValues = createContextValues();
      // As JSON they are text, and Connect's.
      if (!request.headers['content-type']?.includes('json')) contextValues.set(largeResponsesKey, waiting);
      const call = universalRequestFromNodeRequest(request, response, undefined, contextValues);
      const answer = await handler?.({ ...call, signal: canceledByClient(call.signal) });
      if (answer === undefined) return;
      const { body, ...rest } = explained(answer, handler);
      await universalResponseToNodeResponse(
        { ...rest, ...(body && { body: withLargeResponses(body, waiting, call.signal) }) },
        response,
      );
    }
  };
}

/** A message of which a part still waited when the stream went fails as one that was written too late. */
const isOfClient = ({ code, cause }: ConnectError): boolean =>
  code === Code.Aborted || (cause as NodeJS.ErrnoException | undefined)?.code === 'ERR_STREAM_DESTROYED';

/** Connect refuses a method or a content type with an empty body; somebody with curl should learn what would work. */
function explained(
  answer: UniversalServerResponse,
  handler: { readonly service: DescService; readonly method: DescMethod } | undefined,
): UniversalServerResponse {
  if (handler === undefined || answer.body !== undefined || !(answer.status === 405 || answer.status === 415))
    return answer;
  const { service, method } = handler;
  const name = `${service.typeName}/${method.name}`;
  const how =
    method.methodKind === 'unary'
      ? `POST JSON to it, with the header 'content-type: application/json'`
      : 'it streams, which plain JSON cannot: use gRPC, gRPC-Web, or Connect with application/connect+json';
  const body = JSON.stringify({ code: 'invalid_argument', message: `${name}: ${how}` });
  const header = new Headers(answer.header);
  header.set('content-type', 'application/json');
  return { ...answer, header, body: createAsyncIterable([new TextEncoder().encode(`${body}\n`)]) };
}

/**
 * The signal of a call, where every way in which a client can leave is CANCELED. Connect's clients reset a stream with
 * INTERNAL_ERROR when their deadline is over, and that is no fault of ours to be logged.
 */
function canceledByClient(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const onAbort = () =>
    controller.abort(new ConnectError('the client has left', Code.Canceled, undefined, undefined, signal.reason));
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return controller.signal;
}
