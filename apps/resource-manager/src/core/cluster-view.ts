import type { Instant, NodeId, QueryId } from '@tutti/base';

// The queries of all coordinators, as one resource manager heard of them. Pure.
//   V1. A coordinator's report replaces what it said before. (Late reports never get here: see HeartbeatLedger.)
//   V2. A query that its coordinator called ended stays ended.
//   V3. The live queries of a coordinator that is silent for expireAfterMs count as lost: they show as ended, and live
//       again when the same life of the coordinator names them again.
//   V4. They are lost for good when the coordinator departs or reports from a new life.
//   V5. A live query that a complete report does not name any more is forgotten: its end is not known.
//   V6. Ended queries are kept for endedKeptMs after their end was heard, and at most endedMax of them: the newest.

/** What a coordinator says of a query; `info` is passed on unread. */
export interface ReportedQuery<Info> {
  readonly queryId: QueryId;
  /** The name of its state. */
  readonly state: string;
  readonly isEnded: boolean;
  readonly user: string;
  readonly info: Info;
}

/** One report of a coordinator. */
export interface QueriesReport<Info> {
  readonly coordinatorId: NodeId;
  readonly incarnation: number;
  readonly queries: readonly ReportedQuery<Info>[];
  /** Whether it names all live queries. */
  readonly isComplete: boolean;
}

/** A query as it is shown. */
export interface ViewedQuery<Info> {
  readonly query: ReportedQuery<Info>;
  readonly coordinatorId: NodeId;
  /** Its coordinator is gone, and the query with it; what `query` says is from before. */
  readonly isLost: boolean;
}

/** Which queries to list, and from where on. */
export interface ListOptions {
  /** Whether to show it; told the state that is shown. */
  readonly matches: (viewed: ViewedQuery<unknown>) => boolean;
  /** `next` of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** Bounds of the view. */
export interface ClusterViewOptions {
  readonly expireAfterMs: number;
  readonly endedKeptMs: number;
  readonly endedMax: number;
}

interface Live<Info> {
  readonly query: ReportedQuery<Info>;
  readonly coordinatorId: NodeId;
  readonly incarnation: number;
  readonly namedAt: Instant;
}

interface Ended<Info> {
  query: ReportedQuery<Info>;
  readonly coordinatorId: NodeId;
  readonly incarnation: number;
  readonly isLost: boolean;
  readonly endedAt: Instant;
  /** Position in the order of ends as they were heard here. */
  readonly order: number;
}

interface Coordinator {
  readonly incarnation: number;
  readonly heardAt: Instant;
}

/** See the rules at the head of the file. */
export class ClusterView<Info> {
  private readonly live = new Map<QueryId, Live<Info>>();
  /** In the order of their ends. */
  private readonly ended = new Map<QueryId, Ended<Info>>();
  private readonly coordinators = new Map<NodeId, Coordinator>();
  private endCount = 0;

  constructor(private readonly options: ClusterViewOptions) {}

  /** A coordinator reported. */
  reported(report: QueriesReport<Info>, now: Instant): void {
    const { coordinatorId, incarnation } = report;
    const former = this.coordinators.get(coordinatorId);
    if (former !== undefined && former.incarnation !== incarnation) this.lose(coordinatorId, now);
    this.coordinators.set(coordinatorId, { incarnation, heardAt: now });
    for (const query of report.queries) this.take(query, coordinatorId, incarnation, now);
    this.forgetUnnamed(report, now);
    this.bound(now);
  }

  /** A coordinator left for good. */
  departed(coordinatorId: NodeId, now: Instant): void {
    this.lose(coordinatorId, now);
    this.coordinators.delete(coordinatorId);
  }

  /** Lets time pass: see V3 and V6. */
  expire(now: Instant): void {
    for (const [coordinatorId, { heardAt }] of this.coordinators) {
      if (now - heardAt > this.options.expireAfterMs) this.departed(coordinatorId, now);
    }
    this.bound(now);
  }

  get(queryId: QueryId): ViewedQuery<Info> | undefined {
    const live = this.live.get(queryId);
    return live ? viewLive(live) : this.ended.get(queryId);
  }

  /** The live queries. */
  *liveQueries(): IterableIterator<ReportedQuery<Info>> {
    for (const { query } of this.live.values()) yield query;
  }

  /** How many ended queries are kept. */
  get endedCount(): number {
    return this.ended.size;
  }

  /**
   * One page: live queries, the newest first, then the ended ones, the latest end first. `next` asks for the page after
   * it; undefined at the end. A query that ends between two pages may be on both.
   */
  list({ matches, after, limit }: ListOptions): { page: readonly ViewedQuery<Info>[]; next: string | undefined } {
    const place = parsePlace(after);
    const rows: { readonly place: string; readonly viewed: ViewedQuery<Info> }[] = [];
    const add = (position: string, viewed: ViewedQuery<Info>) => {
      if (matches(viewed)) rows.push({ place: position, viewed });
      return rows.length > limit;
    };
    if (place.kind === 'live') {
      const ids = [...this.live.keys()]
        .filter((id) => place.before === undefined || id < place.before)
        .sort()
        .reverse();
      for (const id of ids) if (add(`live:${id}`, viewLive(this.live.get(id) as Live<Info>))) break;
    }
    if (rows.length <= limit) {
      const before = place.kind === 'ended' ? place.before : Infinity;
      const ended = [...this.ended.values()].filter(({ order }) => order < before).reverse();
      for (const one of ended) if (add(`ended:${one.order}`, one)) break;
    }
    const page = rows.slice(0, limit);
    return { page: page.map(({ viewed }) => viewed), next: rows.length > limit ? page.at(-1)?.place : undefined };
  }

  private take(query: ReportedQuery<Info>, coordinatorId: NodeId, incarnation: number, now: Instant): void {
    const { queryId } = query;
    const ended = this.ended.get(queryId);
    if (query.isEnded) {
      this.live.delete(queryId);
      if (ended !== undefined && !ended.isLost) ended.query = query;
      else this.end({ query, coordinatorId, incarnation, isLost: false }, now);
      return;
    }
    if (ended !== undefined && !(ended.isLost && ended.incarnation === incarnation)) return;
    this.ended.delete(queryId);
    this.live.set(queryId, { query, coordinatorId, incarnation, namedAt: now });
  }

  private lose(coordinatorId: NodeId, now: Instant): void {
    for (const [queryId, live] of this.live) {
      if (live.coordinatorId !== coordinatorId) continue;
      this.live.delete(queryId);
      this.end({ query: live.query, coordinatorId, incarnation: live.incarnation, isLost: true }, now);
    }
  }

  private end(ended: Omit<Ended<Info>, 'endedAt' | 'order'>, now: Instant): void {
    this.ended.delete(ended.query.queryId);
    this.ended.set(ended.query.queryId, { ...ended, endedAt: now, order: ++this.endCount });
  }

  private forgetUnnamed({ coordinatorId, queries, isComplete }: QueriesReport<Info>, now: Instant): void {
    const named = new Set(queries.map(({ queryId }) => queryId));
    for (const [queryId, live] of this.live) {
      if (live.coordinatorId !== coordinatorId || named.has(queryId)) continue;
      // What an incomplete report leaves out may live; not for ever, or a missed end would show as running for ever.
      if (isComplete || now - live.namedAt > this.options.expireAfterMs) this.live.delete(queryId);
    }
  }

  private bound(now: Instant): void {
    for (const [queryId, { endedAt }] of this.ended) {
      if (this.ended.size <= this.options.endedMax && now - endedAt <= this.options.endedKeptMs) return;
      this.ended.delete(queryId);
    }
  }
}

/** Whether `token` can be the `next` of a page. */
export const isListPlace = (token: string): boolean => /^(live:[\w-]+|ended:\d+)$/.test(token);

type Place =
  { readonly kind: 'live'; readonly before: string | undefined } | { readonly kind: 'ended'; readonly before: number };

function parsePlace(token: string | undefined): Place {
  if (token?.startsWith('ended:')) return { kind: 'ended', before: Number(token.slice('ended:'.length)) };
  return { kind: 'live', before: token?.slice('live:'.length) };
}

const viewLive = <Info>({ query, coordinatorId }: Live<Info>): ViewedQuery<Info> => ({
  query,
  coordinatorId,
  isLost: false,
});
