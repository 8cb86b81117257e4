import { type IncomingHttpHeaders, type Server as Http1Server, createServer as createHttp1Server } from 'node:http';
import {
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  createServer as createHttp2Server,
} from 'node:http2';
import type { Interceptor } from '@connectrpc/connect';
import {
  FRAME_BYTES_MAX,
  KEEPALIVE_INTERVAL_MS,
  KEEPALIVE_TIMEOUT_MS,
  MESSAGE_BYTES_MAX,
  WINDOW_BYTES,
} from '../limits.js';
import type { Log } from '../log.js';
import type { Mounted } from '../router.js';
import { TcpFront } from '../tcp-front.js';
import { connectHandler } from './connect-handler.js';
import { sniffProtocol } from './sniff.js';

/** What requests and responses of HTTP/1.1 and HTTP/2 have in common, as far as we need it. */
export interface HttpRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}
export interface HttpResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}
export type HttpHandler = (request: HttpRequest, response: HttpResponse) => void;

/** Megabytes that one connection may hold; Node's 10 are less than three full windows. */
const SESSION_MEMORY_MB = 64;

/** One TCP port that takes HTTP/1.1 and cleartext HTTP/2 alike, and on both gRPC, gRPC-Web and Connect. */
export class EdgeServer {
  readonly front: TcpFront;
  private readonly http1: Http1Server;
  private readonly http2: Http2Server;
  private readonly sessions = new Set<ServerHttp2Session>();
  private closing = false;

  constructor(options: {
    readonly mounted: readonly Mounted[];
    readonly interceptors: Interceptor[];
    readonly shutdownSignal: AbortSignal;
    readonly log: Log;
    /** Answers requests that are no known call. */
    readonly fallback: HttpHandler;
  }) {
    const handler = connectHandler(options.mounted, {
      fallback: options.fallback,
      log: options.log,
      interceptors: options.interceptors,
      shutdownSignal: options.shutdownSignal,
      readMaxBytes: MESSAGE_BYTES_MAX,
      writeMaxBytes: MESSAGE_BYTES_MAX,
      // By default every reply over 1 KiB would be gzipped for clients that offer it: a fifth of the bytes per second.
      acceptCompression: [],
    });
    this.http1 = createHttp1Server((request, response) => {
      if (this.closing) response.setHeader('connection', 'close');
      handler(request, response);
    });
    // It never listens itself; this starts its watch over slow requests.
    this.http1.emit('listening');
    this.http2 = createHttp2Server(
      {
        settings: { initialWindowSize: WINDOW_BYTES, maxFrameSize: FRAME_BYTES_MAX },
        maxSessionMemory: SESSION_MEMORY_MB,
      },
      (request, response) => {
        request.stream.once('finish', () => discardRest(request.stream));
        handler(request, response);
      },
    );
    this.http2.on('session', (session) => this.adopt(session));
    this.front = new TcpFront((socket) =>
      sniffProtocol(socket, (protocol) => {
        (protocol === 'http2' ? this.http2 : this.http1).emit('connection', socket);
      }),
    );
  }

  /** Takes no more connections and calls; resolves when the last call has ended and all connections are closed. */
  close(): Promise<void> {
    this.closing = true;
    const stopped = this.front.stopListening();
    // Node 20 leaves idle sessions open when the server closes (nodejs/node#57611).
    for (const session of this.sessions) session.close();
    this.http1.close();
    return stopped;
  }

  destroy(): void {
    for (const session of this.sessions) session.destroy();
    this.front.destroySockets();
  }

  private adopt(session: ServerHttp2Session): void {
    this.sessions.add(session);
    // A broken connection ends its calls; each of them reports it.
    session.on('error', () => undefined);
    session.setLocalWindowSize(WINDOW_BYTES);
    const stopPinging = keepAlive(session);
    session.on('close', () => {
      stopPinging();
      this.sessions.delete(session);
    });
    if (this.closing) session.close();
  }
}

/** Gives up a client that answers no ping: its calls would otherwise be open for ever. Returns what stops it. */
function keepAlive(session: ServerHttp2Session): () => void {
  let deadline: NodeJS.Timeout | undefined;
  const timer = setInterval(() => {
    if (session.destroyed || deadline !== undefined) return;
    deadline = setTimeout(() => session.destroy(), KEEPALIVE_TIMEOUT_MS).unref();
    session.ping(() => {
      clearTimeout(deadline);
      deadline = undefined;
    });
  }, KEEPALIVE_INTERVAL_MS).unref();
  return () => {
    clearInterval(timer);
    clearTimeout(deadline);
  };
}

/**
 * Lets the rest of a request flow away. Node keeps the stream of a call that was answered before its requests were read,
 * and with it the session, for as long as anything waits to be read; a drain would wait for it.
 */
function discardRest(stream: ServerHttp2Stream): void {
  stream.removeAllListeners('data');
  stream.resume();
}
