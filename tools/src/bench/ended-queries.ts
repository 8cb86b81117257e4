import type { LogLine } from './log-tail.js';

/** A query that ended, by the log of its coordinator. */
export interface EndedQuery {
  readonly queryId: string;
  readonly group: string;
  readonly user: string;
  /** On the wall clock of this machine. */
  readonly submittedMs: number;
  /** How long it waited for its group. */
  readonly queuedMs: number;
  /** Why it failed; undefined when it did not. */
  readonly reason: string | undefined;
}

/** Collects them from the lines of coordinators' logs. */
export class EndedQueries {
  private readonly queries: EndedQuery[] = [];

  take(line: LogLine): void {
    if (line['event'] !== 'query-ended') return;
    this.queries.push({
      queryId: String(line['queryId']),
      group: String(line['group']),
      user: String(line['user']),
      submittedMs: Date.parse(String(line['time'])) - Number(line['elapsedMs']),
      queuedMs: Number(line['queuedMs']),
      reason: line['reason'] === undefined ? undefined : String(line['reason']),
    });
  }

  /** Those of a group and the groups below it that were submitted from `fromMs` on. */
  of(group: string, fromMs: number): readonly EndedQuery[] {
    return this.queries.filter(
      (query) => (query.group === group || query.group.startsWith(`${group}.`)) && query.submittedMs >= fromMs,
    );
  }
}
