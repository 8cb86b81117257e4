// The life of a query as its client sees it: a state at once and at each change, the columns, the rows in order, and last
// the final state. Rows are taken only as fast as the reader asks for them.
import type { Clock } from '@tutti/base';
import type { QueryColumn, QuerySnapshot } from './core/query.js';
import type { LiveQuery } from './live-query.js';

export type QueryNews =
  | { readonly kind: 'state'; readonly query: QuerySnapshot }
  | { readonly kind: 'columns'; readonly columns: readonly QueryColumn[] }
  /** Bytes of the result in the format of the query: whole JSON lines, or the next bytes of a Parquet file. */
  | { readonly kind: 'lines'; readonly lines: Uint8Array };

/** Figures that move all the time (rows so far, memory) are told at most this often. */
const FIGURES_MS = 500;

/** Who waits hears at least this often that it still does, and how old the data is by now. */
const WAIT_MS = 2_000;
/** Every query waits for one answer of a resource manager: when that comes sooner, it is not worth a word. */
const ASKING_MS = 100;

/** Yields news of `query` until it has ended and its last state is told, or until `signal` aborts. */
export async function* queryNews(query: LiveQuery, clock: Clock, signal: AbortSignal): AsyncGenerator<QueryNews> {
  let told: QuerySnapshot | undefined;
  let toldAt = clock.now();
  let columnsTold = false;
  // Each turn tells one thing and looks again, since everything may have changed while the reader was busy. It waits
  // only when there was nothing to tell.
  while (!signal.aborted) {
    if (query.rows.drained && query.state === 'finishing') query.apply({ kind: 'delivered' });
    // A quick query passes its states faster than its client reads: the client hears where it is when it listens.
    const now = query.snapshot();
    const silentMs = clock.now() - toldAt;
    const figuresMove = now.use !== told?.use || now.progress !== told?.progress;
    const isDue = (figuresMove && silentMs >= FIGURES_MS) || (now.wait !== undefined && silentMs >= WAIT_MS);
    if (told === undefined || (!query.ended && (isDue || now.state !== told.state || reasonDiffers(now, told)))) {
      told = now;
      toldAt = clock.now();
      yield { kind: 'state', query: told };
    } else if (query.columns && !columnsTold) {
      columnsTold = true;
      yield { kind: 'columns', columns: query.columns };
    } else {
      const lines = query.rows.take();
      if (lines) yield { kind: 'lines', lines };
      else if (query.ended) return yield { kind: 'state', query: now };
      else await query.bell.wait(signal, { clock, ms: FIGURES_MS });
    }
  }
}

/** Whether the reason of a wait is another one; the age of the data alone is no news. */
function reasonDiffers({ wait: a, queuedMs }: QuerySnapshot, { wait: b }: QuerySnapshot): boolean {
  if (a?.kind === 'staleData' && queuedMs < ASKING_MS) return false;
  if (a === undefined || b === undefined) return a !== b;
  return (
    a.kind !== b.kind ||
    a.blockingGroup !== b.blockingGroup ||
    a.runningHere !== b.runningHere ||
    a.runningElsewhere !== b.runningElsewhere ||
    a.limit !== b.limit ||
    a.queuedAhead !== b.queuedAhead
  );
}
