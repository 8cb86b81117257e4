import { Code, type Transport } from '@connectrpc/connect';
import { type Clock, formatDuration } from '@tutti/base';
import { readRpcError, readStream, type RemoteError } from '@tutti/service';
import { CannotConnectError, InterruptedError, RequestFailedError, UsageError } from './failures.js';

/** A transport to one server. */
export type ServerTransport = Transport & { close(): void };

/** What every call gets: a deadline and a signal. */
export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const ANSWER_TIMEOUT_MS = 10_000;
/** A coordinator says at once that it has accepted a statement; this long allows for one that is very busy. */
const FIRST_MESSAGE_TIMEOUT_MS = 30_000;

/**
 * The servers that were given, of which one is used: the first that answers, until it does not answer any more.
 *   C1. A call goes to another server only when the one before certainly did nothing with it, or when it only reads.
 *   C2. Every failure leaves as one of the errors of failures.ts.
 */
export class Connection {
  private readonly transports = new Map<string, ServerTransport>();
  private current = 0;

  constructor(
    private readonly options: {
      readonly urls: readonly string[];
      readonly open: (url: string) => ServerTransport;
      readonly clock: Clock;
      /** Aborts when the user wants to end the program. */
      readonly interrupt: AbortSignal;
    },
  ) {}

  /** Makes a call that reads, or that may be made twice. */
  async call<T>(call: (transport: Transport, options: CallOptions) => Promise<T>): Promise<T> {
    const signal = this.options.interrupt;
    return this.firstAnswer(
      (transport) => call(transport, { timeoutMs: ANSWER_TIMEOUT_MS, signal }),
      () => true,
    );
  }

  /** Makes a call to the server that answered last, and to no other. */
  async callCurrent<T>(call: (transport: Transport) => Promise<T>): Promise<T> {
    return call(this.transport(this.options.urls[this.current] ?? ''));
  }

  /** Reads a stream that must not be opened twice. Leaving the loop cancels the call, and so does `signal`. */
  async *stream<T>(
    call: (transport: Transport, signal: AbortSignal) => AsyncIterable<T>,
    signal: AbortSignal,
  ): AsyncGenerator<T> {
    const { opened, first } = await this.firstAnswer(
      async (transport) => {
        const tooLate = new AbortController();
        const both = AbortSignal.any([signal, tooLate.signal]);
        const opened = readStream((ownSignal) => call(transport, ownSignal), both);
        const cancelTimer = this.options.clock.schedule(FIRST_MESSAGE_TIMEOUT_MS, () => tooLate.abort());
        try {
          return { opened, first: await opened.next() };
        } catch (error) {
          if (tooLate.signal.aborted) throw this.cannotConnect(noAnswer(FIRST_MESSAGE_TIMEOUT_MS));
          throw error;
        } finally {
          cancelTimer();
        }
      },
      (remote) => remote.neverProcessed,
    );
    if (first.done) return;
    try {
      yield first.value;
      yield* opened;
    } catch (error) {
      throw new RequestFailedError(readRpcError(error));
    } finally {
      await opened.return(undefined);
    }
  }

  close(): void {
    for (const transport of this.transports.values()) transport.close();
    this.transports.clear();
  }

  private async firstAnswer<T>(
    attempt: (transport: Transport) => Promise<T>,
    mayGoOn: (remote: RemoteError) => boolean,
  ): Promise<T> {
    const { urls, interrupt } = this.options;
    const failed: { url: string; problem: string }[] = [];
    let refusal: RequestFailedError | undefined;
    for (let tries = 0; tries < urls.length; tries += 1) {
      const url = urls[this.current] ?? '';
      try {
        return await attempt(this.transport(url));
      } catch (error) {
        if (interrupt.aborted) throw new InterruptedError('interrupted', Number(interrupt.reason));
        if (error instanceof CannotConnectError) throw error;
        const remote = readRpcError(error);
        if (remote.reason !== undefined && !remote.neverProcessed) throw new RequestFailedError(remote);
        if (remote.reason !== undefined) refusal = new RequestFailedError(remote);
        else failed.push({ url, problem: connectProblem(remote) });
        if (!mayGoOn(remote)) break;
        this.current = (this.current + 1) % urls.length;
      }
    }
    throw refusal ?? new CannotConnectError(failed);
  }

  private cannotConnect(problem: string): CannotConnectError {
    return new CannotConnectError([{ url: this.options.urls[this.current] ?? '', problem }]);
  }

  private transport(url: string): ServerTransport {
    const known = this.transports.get(url);
    if (known !== undefined) return known;
    const transport = this.options.open(url);
    this.transports.set(url, transport);
    return transport;
  }
}

const noAnswer = (ms: number): string => `no answer within ${formatDuration(ms)}`;

/** What to tell about a call that no Tutti server answered. */
function connectProblem(remote: RemoteError): string {
  switch (remote.code) {
    case Code.Unavailable:
      return remote.message.includes('ECONNREFUSED') ? 'connection refused: nothing listens there' : remote.message;
    case Code.DeadlineExceeded:
      return noAnswer(ANSWER_TIMEOUT_MS);
    case Code.Unimplemented:
      return 'it answers, but not to this call: is it the edge port of a coordinator?';
    default:
      return `it does not answer like a Tutti server (${remote.message})`;
  }
}

const DEFAULT_PORT = 8080;

/** Reads `--server`: URLs with commas between; "host" and "host:port" stand for http, with port 8080 unless given. */
export function parseServers(text: string): string[] {
  const urls = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseServer);
  if (urls.length === 0) throw new UsageError('--server names no server; give a URL such as http://127.0.0.1:8080');
  return urls;
}

function parseServer(text: string): string {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const href = hasScheme ? text : `http://${text}`;
  const url = URL.canParse(href) ? new URL(href) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.hostname === '')
    throw new UsageError(`--server: "${text}" is no URL; write it like http://127.0.0.1:8080`);
  if (!hasScheme && !/:\d+(\/|$)/.test(text)) url.port = String(DEFAULT_PORT);
  return url.href.replace(/\/+$/, '');
}
