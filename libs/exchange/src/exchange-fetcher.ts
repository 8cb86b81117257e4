// Fetches the inputs of fragments into their session's directory.
//   F1. A file is fetched once per session, however many fragments ask for it, also at the same time.
//   F2. A file of the session itself is used where it is.
//   F3. A transfer ends when nobody waits for it any more, and with its session.
//   F4. A file that came with its content is written, and not fetched.
//   F5. At most streamsMax transfers run on the worker; the others wait in order.
import { link, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, createClient } from '@connectrpc/connect';
import { type Clock, type Random, randomInt } from '@tutti/base';
import { TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import { type ClosableTransport, orAbort } from '@tutti/service';
import { interleaved } from './core/interleaved.js';
import { type RemoteFile, transferFile, writeContent } from './exchange-client.js';
import { exchangeLost } from './exchange-error.js';
import type { ExchangeSession } from './exchange-session.js';
import type { ExchangeStore } from './exchange-store.js';
import { Slots } from './slots.js';

export interface ExchangeFetcherOptions {
  readonly store: Pick<ExchangeStore, 'session'>;
  /** A connection to the edge port of a worker, with wide windows; closed when the session ends. */
  readonly connect: (edgeAddress: string) => ClosableTransport;
  /** Transfers at once. Each holds a chunk and what its connection's window lets in. */
  readonly streamsMax: number;
  /** A file of which nothing comes for so long is lost. */
  readonly progressTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Files that are here. Release them when they are read: copies that nobody uses make room for others. */
export interface FetchedFiles {
  /** In the order in which they were asked for. */
  readonly paths: readonly string[];
  release(): void;
}

interface Copy {
  readonly key: string;
  readonly id: string;
  readonly path: string;
  readonly arrived: Promise<void>;
  readonly stop: AbortController;
  users: number;
  isHere: boolean;
}

/** Fetches for all sessions of a worker. */
export class ExchangeFetcher {
  private readonly slots: Slots;

  constructor(private readonly options: ExchangeFetcherOptions) {
    this.slots = new Slots(options.streamsMax);
  }

  for(session: ExchangeSession): SessionFetches {
    return new SessionFetches(session, this.options, this.slots);
  }
}

/** What one session fetches. */
export class SessionFetches {
  /** In the order of their last use. */
  private readonly copies = new Map<string, Copy>();
  private readonly clients = new Map<string, Client<typeof TaskService>>();
  private count = 0;

  constructor(
    private readonly session: ExchangeSession,
    private readonly options: ExchangeFetcherOptions,
    private readonly slots: Slots,
  ) {
    session.makeRoom = () => this.removeUnused();
  }

  /** Bytes of `files` that another worker holds. */
  remoteBytes(files: readonly RemoteFile[]): number {
    return files.reduce((sum, file) => sum + (this.isOwn(file) ? 0 : file.bytes), 0);
  }

  /**
   * Fetches what is not here yet. Rejects with ExchangeError when a file cannot be had or there is no room, with the signal's
   * reason when `signal` aborts or the session ends. `progress` hears of bytes that come because of this call.
   */
  async fetch(
    files: readonly RemoteFile[],
    options: { readonly signal: AbortSignal; readonly progress?: (bytes: number) => void },
  ): Promise<FetchedFiles> {
    const signal = AbortSignal.any([options.signal, this.session.closed]);
    signal.throwIfAborted();
    const used = new Set<Copy>();
    const release = () => {
      for (const copy of used) this.leave(copy);
      used.clear();
    };
    try {
      const remote = files.filter((file) => !this.isOwn(file));
      for (const file of interleaved(
        remote,
        ({ edgeAddress }) => edgeAddress,
        randomInt(this.options.random, 1 << 16),
      )) {
        const copy = this.enter(file, used, options.progress);
        used.add(copy);
      }
      await orAbort(() => Promise.all([...used].map(({ arrived }) => arrived)), signal);
      return { paths: files.map((file) => this.pathOf(file)), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  private isOwn({ taskId }: RemoteFile): boolean {
    return taskId === this.session.taskId;
  }

  private pathOf(file: RemoteFile): string {
    const { taskId, edgeAddress: worker, name } = file;
    const path = this.isOwn(file) ? this.session.file(name)?.path : this.copies.get(keyOf(file))?.path;
    if (path === undefined) throw exchangeLost({ taskId, worker, file: name }, 'the task has no such file');
    return path;
  }

  /** The copy of a file, begun if it is not there yet. */
  private enter(file: RemoteFile, used: ReadonlySet<Copy>, progress?: (bytes: number) => void): Copy {
    const key = keyOf(file);
    const known = this.copies.get(key);
    if (known !== undefined) {
      if (!used.has(known)) known.users++;
      this.copies.delete(key);
      this.copies.set(key, known);
      return known;
    }
    const id = String(++this.count);
    this.session.takeRoom(id, file.bytes);
    const stop = new AbortController();
    const path = join(this.session.inputDirectory, id);
    const arrived = this.bring(file, path, AbortSignal.any([stop.signal, this.session.closed]), progress);
    const copy: Copy = { key, id, path, arrived, stop, users: 1, isHere: false };
    this.copies.set(key, copy);
    arrived.then(
      () => (copy.isHere = true),
      () => this.forget(copy),
    );
    return copy;
  }

  private async bring(
    file: RemoteFile,
    path: string,
    signal: AbortSignal,
    progress: (bytes: number) => void = () => {},
  ): Promise<void> {
    const arrived = (bytes: number) => {
      this.session.noteFetched(bytes);
      progress(bytes);
    };
    const { content } = file;
    if (content !== undefined) {
      await writeContent(file, content, path); // F4
      return arrived(content.length);
    }
    // Another session of the query on this worker: the disk has the bytes already.
    const neighbour = this.options.store.session(file.taskId);
    const held = neighbour?.isKey(file.key) === true ? neighbour.file(file.name) : undefined;
    if (held?.bytes === file.bytes) return link(held.path, path);
    const giveBack = await this.slots.take(signal);
    const { clock, progressTimeoutMs } = this.options;
    try {
      await transferFile(file, path, {
        ...{ client: this.client(file.edgeAddress), progressTimeoutMs, clock, signal },
        progress: arrived,
      });
    } finally {
      giveBack();
    }
  }

  private leave(copy: Copy): void {
    copy.users--;
    if (copy.users > 0 || copy.isHere) return;
    // Who asks from now on gets a new one.
    this.drop(copy);
    copy.stop.abort(new Error('nobody waits for the file any more'));
  }

  private drop(copy: Copy): void {
    if (this.copies.get(copy.key) === copy) this.copies.delete(copy.key);
  }

  /** It is gone, or will be at once. */
  private forget(copy: Copy): void {
    this.drop(copy);
    this.session.freeRoom(copy.id);
  }

  private removeUnused(): boolean {
    const copy = [...this.copies.values()].find(({ users, isHere }) => users === 0 && isHere);
    if (copy === undefined) return false;
    this.forget(copy);
    // What cannot be removed now goes with the session.
    rm(copy.path, { force: true }).catch(() => undefined);
    return true;
  }

  /** One connection per worker, for as long as the session lives. */
  private client(edgeAddress: string): Client<typeof TaskService> {
    const known = this.clients.get(edgeAddress);
    if (known !== undefined) return known;
    const transport = this.options.connect(edgeAddress);
    this.session.closed.addEventListener('abort', () => transport.close(), { once: true });
    const client = createClient(TaskService, transport);
    this.clients.set(edgeAddress, client);
    return client;
  }
}

const keyOf = ({ taskId, name }: RemoteFile): string => `${taskId}/${name}`;
