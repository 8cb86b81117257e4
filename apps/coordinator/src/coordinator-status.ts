import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Clock, Instant } from '@tutti/base';
import { instant } from '@tutti/base';
import type { CoordinatorStatusSchema } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import type { QueryInfo } from '@tutti/contracts/tutti/query/v1/query_pb';
import type { GroupConfigStatusSchema } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { isEnd, type QuerySnapshot } from './core/query.js';
import type { QueryHistory } from './core/query-history.js';
import type { GroupCounts } from '@tutti/resource-groups';
import type { LiveQuery } from './live-query.js';
import { LISTED_STATEMENT_LENGTH, queryInfoOf } from './query-codec.js';
import { countsToWire } from './usage-codec.js';

/** A report is one message and goes out many times a second when much happens: it must stay small. */
const QUERIES_MAX = 1_000;
const REPORT_BYTES_MAX = 2 << 20;
/** About once a second a report names the queries that ended this long ago, so that a lost report or two lose no end. */
const ENDED_MS = 3_000;
const ENDED_FULL_EVERY_MS = 900;
/** All resource managers get such a report: what is sent to one of them within this time is sent to all. */
const ENDED_FULL_LASTS_MS = 30;
/** Reports in between, many a second under load, name only those that ended this long ago. */
const ENDED_SOON_MS = 250;
const ENDED_MAX = 100;
/** Reports that are asked for sooner than this, per query in them, are put off: a thousand queries cost real time. */
const GAP_MS_PER_QUERY = 0.1;

export interface CoordinatorStatusOptions {
  readonly nodeId: string;
  readonly queries: () => Iterable<LiveQuery> & { readonly size: number };
  readonly history: QueryHistory;
  readonly counts: () => readonly GroupCounts[];
  readonly groupConfig: () => MessageInitShape<typeof GroupConfigStatusSchema>;
  readonly endedWindow: EndedWindow;
  readonly clock: Clock;
}

/** How far back the next report goes for queries that have ended. */
export class EndedWindow {
  private fullAt: Instant | undefined;

  backMs(now: Instant): number {
    if (this.fullAt === undefined || now - this.fullAt >= ENDED_FULL_EVERY_MS) this.fullAt = now;
    return now - this.fullAt < ENDED_FULL_LASTS_MS ? ENDED_MS : ENDED_SOON_MS;
  }
}

/** What this coordinator reports of itself: its queries (the oldest live ones first), and all its groups in use. */
export function coordinatorStatus(options: CoordinatorStatusOptions): MessageInitShape<typeof CoordinatorStatusSchema> {
  const { nodeId, history, clock, counts, endedWindow } = options;
  history.expire(clock.now()); // Nothing else looks at the clock while no query ends.
  const live = options.queries();
  const queries: QueryInfo[] = [];
  let bytes = 0;
  const report = (query: QuerySnapshot): boolean => {
    bytes += wireBytesMaxOf(query);
    if (queries.length >= QUERIES_MAX || bytes > REPORT_BYTES_MAX) return false;
    return queries.push(infoOf(query, nodeId)) > 0;
  };
  for (const query of live) if (!report(query.snapshot())) break;
  const queriesLeftOut = live.size - queries.length;
  for (const query of history.recent(instant(clock.now() - endedWindow.backMs(clock.now())), ENDED_MAX))
    if (!report(query)) break;
  return { queries, groups: counts().map(countsToWire), queriesLeftOut, groupConfig: options.groupConfig() };
}

/** Ended queries are in many reports: their messages are made once. */
const endedInfos = new WeakMap<QuerySnapshot, QueryInfo>();

function infoOf(query: QuerySnapshot, nodeId: string): QueryInfo {
  const known = endedInfos.get(query);
  if (known) return known;
  const info = queryInfoOf(query, nodeId, LISTED_STATEMENT_LENGTH);
  if (isEnd(query.state)) endedInfos.set(query, info);
  return info;
}

/** The most that a query may take in a report: a character has at most three bytes. */
function wireBytesMaxOf({ statement, session, group, failure, wait }: QuerySnapshot): number {
  const { user, source, catalog, schema, principal } = session;
  const waits = [wait?.message, wait?.unblockedBy, wait?.blockingGroup];
  const texts = [user, source, catalog, schema, principal, group, failure?.message, ...waits];
  const lengths = texts.map((text) => text?.length ?? 0);
  return 400 + 3 * lengths.reduce((sum, length) => sum + length, Math.min(statement.length, LISTED_STATEMENT_LENGTH));
}

/** Passes wishes for a report on, at once while reports are small and further apart the more they carry. */
export class ReportPacer {
  private lastAt: Instant | undefined;
  private pending = false;

  constructor(
    private readonly options: {
      readonly queryCount: () => number;
      readonly sendSoon: () => void;
      readonly clock: Clock;
    },
  ) {}

  readonly reportSoon = (): void => {
    if (this.pending) return;
    const { queryCount, clock } = this.options;
    const gapMs = queryCount() * GAP_MS_PER_QUERY;
    const waitMs = this.lastAt === undefined ? 0 : this.lastAt + gapMs - clock.now();
    if (waitMs <= 0) return this.send();
    this.pending = true;
    clock.schedule(waitMs, () => {
      this.pending = false;
      this.send();
    });
  };

  private send(): void {
    this.lastAt = this.options.clock.now();
    this.options.sendSoon();
  }
}
