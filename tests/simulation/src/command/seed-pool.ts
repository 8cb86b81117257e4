import { Worker } from 'node:worker_threads';
import { type Sums } from './figures.js';
import { type Chunk, runSeeds } from './run-seeds.js';

/** Runs chunks of seeds, on several cores where there are. */
export interface SeedPool {
  run(chunk: Chunk): Promise<Sums>;
  close(): Promise<void>;
}

/** In this thread. */
export const inlinePool: SeedPool = {
  run: (chunk) => Promise.resolve(runSeeds(chunk)),
  close: () => Promise.resolve(),
};

interface Thread {
  readonly worker: Worker;
  job: { readonly resolve: (sums: Sums) => void; readonly reject: (error: unknown) => void } | undefined;
}

/** In so many threads, each of which runs the program at `url`. */
export function threadPool(url: URL, count: number): SeedPool {
  const waiting: { readonly chunk: Chunk; readonly job: NonNullable<Thread['job']> }[] = [];
  const threads = Array.from({ length: count }, (): Thread => ({ worker: new Worker(url), job: undefined }));
  const next = (thread: Thread): void => {
    const first = waiting.shift();
    thread.job = first?.job;
    if (first !== undefined) thread.worker.postMessage(first.chunk);
  };
  for (const thread of threads) {
    thread.worker.on('message', (sums: Sums) => {
      thread.job?.resolve(sums);
      next(thread);
    });
    thread.worker.on('error', (error) => thread.job?.reject(error));
  }
  return {
    run: (chunk) =>
      new Promise((resolve, reject) => {
        waiting.push({ chunk, job: { resolve, reject } });
        const idle = threads.find(({ job }) => job === undefined);
        if (idle !== undefined) next(idle);
      }),
    close: async () => {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}
