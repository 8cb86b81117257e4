// The line on standard error that shows a query while it lives: a pure rendering, and a thin writer that redraws it.
import type { Clock } from '@tutti/base';
import { formatSize } from '@tutti/base';
import { formatCount, formatElapsed, formatEstimate, groupDigits } from './output/quantities.js';
import { clipText, escapeControls } from './output/text-width.js';
import type { QueryView, StagesView } from './query-codec.js';

/** What the line shows. */
export interface Progress {
  readonly query: QueryView | undefined;
  readonly elapsedMs: number;
  /** Rows and bytes that have arrived here. */
  readonly rows: number;
  readonly bytes: number;
}

/** The line for a terminal of `width` cells, without control characters and at most `width - 1` cells long. */
export function renderProgress({ query, elapsedMs, rows, bytes }: Progress, width: number): string {
  if (query === undefined) return clipText(`CONNECTING  ${formatElapsed(elapsedMs)}`, width - 1);
  const parts = [query.state.replaceAll('_', ' '), formatElapsed(elapsedMs)];
  const wait = query.waitReason;
  if (wait !== null) {
    // The place and the estimate go first: they are short, and a narrow terminal cuts the sentence.
    if (wait.position > 0) parts.push(`#${groupDigits(wait.position)}`);
    if (wait.estimatedWaitMs !== null) parts.push(`${formatEstimate(wait.estimatedWaitMs)} to wait`);
    parts.push(wait.message || wait.kind.replaceAll('_', ' ').toLowerCase());
  } else {
    if (query.stages !== null) parts.push(...stageParts(query.stages));
    parts.push(formatCount(Math.max(rows, query.rows), 'row'), formatSize(Math.max(bytes, query.resultBytes)));
    if (query.workers.length > 0) parts.push(query.workers.join(' '));
  }
  return clipText(escapeControls(parts.join('  ')), width - 1);
}

function stageParts({ exchangedRows, exchangedBytes, ...counts }: StagesView): string[] {
  const running = counts.tasksRunning === 0 ? '' : ` (${groupDigits(counts.tasksRunning)} running)`;
  return [
    `stages ${counts.stagesDone}/${counts.stages}`,
    `tasks ${groupDigits(counts.tasksDone)}/${groupDigits(counts.tasks)}${running}`,
    ...(counts.splits === 0 ? [] : [`splits ${groupDigits(counts.splitsDone)}/${groupDigits(counts.splits)}`]),
    ...(counts.retries === 0 ? [] : [`${groupDigits(counts.retries)} again`]),
    ...(exchangedRows === 0 ? [] : [`exchanged ${formatCount(exchangedRows, 'row')} ${formatSize(exchangedBytes)}`]),
  ];
}

/** The line after a query ended well: "(5 rows, 0.41 s, query 2026..., worker w1)". */
export function renderSummary({ query, elapsedMs, rows }: Progress): string {
  // Rows in a Parquet file are counted by the server alone.
  const parts = [formatCount(Math.max(rows, query?.rows ?? 0), 'row'), formatElapsed(elapsedMs)];
  if (query !== undefined) parts.push(`query ${query.queryId}`);
  if (query?.stages) parts.push(formatCount(query.stages.stages, 'stage'), formatCount(query.stages.tasks, 'task'));
  const workers = query?.workers ?? [];
  if (workers.length > 0) parts.push(`${workers.length === 1 ? 'worker' : 'workers'} ${workers.join(' ')}`);
  return escapeControls(`(${parts.join(', ')})`);
}

const REDRAW_MS = 100;

/** Where the line is drawn. */
export interface ProgressTarget {
  write(text: string): void;
  /** The width now: terminals are resized. */
  width(): number;
}

/**
 * Redraws the line in place on a terminal every 100 ms. Elsewhere (`--progress on` with standard error in a file) each
 * change of state becomes a line.
 *   W1. After clear() the cursor stands where it stood before the first drawing, until show() is called again.
 */
export class ProgressLine {
  private drawn = '';
  private lastState = '';
  private cancelTimer: (() => void) | undefined;

  constructor(
    private readonly options: {
      readonly target: ProgressTarget;
      readonly clock: Clock;
      readonly inPlace: boolean;
      readonly progress: () => Progress;
    },
  ) {}

  /** Draws the line, and goes on doing so until clear(). */
  show(): void {
    const { target, inPlace, progress, clock } = this.options;
    if (!inPlace) return this.note(progress());
    const line = renderProgress(progress(), target.width());
    if (line !== this.drawn) target.write(`\r${line}\x1b[K`);
    this.drawn = line;
    this.cancelTimer?.();
    this.cancelTimer = clock.schedule(REDRAW_MS, () => this.show());
  }

  /** Takes the line away. */
  clear(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    if (this.drawn !== '') this.options.target.write('\r\x1b[K');
    this.drawn = '';
  }

  private note(progress: Progress): void {
    const state = `${progress.query?.state ?? ''} ${progress.query?.waitReason?.message ?? ''}`;
    if (progress.query === undefined || state === this.lastState) return;
    this.lastState = state;
    this.options.target.write(`${renderProgress(progress, Number.POSITIVE_INFINITY)}\n`);
  }
}
