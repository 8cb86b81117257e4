// Pages through queries of several sources. Pure.
//   L1. Order: live queries before ended ones; among the live the newest first, among the ended the last ended first.
//   L2. A page token names the last query returned, not a place in a list: queries that come and go in between make no
//       other query appear twice or be left out.
export interface ListedQuery {
  readonly queryId: string;
  readonly ended: boolean;
  /** Unix milliseconds: of its creation while it lives, of its end afterwards. */
  readonly atMs: number;
}

export interface QueryPage<T> {
  readonly items: T[];
  readonly nextPageToken: string;
}

function compare(a: ListedQuery, b: ListedQuery): number {
  if (a.ended !== b.ended) return a.ended ? 1 : -1;
  if (a.atMs !== b.atMs) return b.atMs - a.atMs;
  return a.queryId < b.queryId ? 1 : a.queryId > b.queryId ? -1 : 0;
}

const encode = (query: ListedQuery): string => `${query.ended ? 'e' : 'l'}.${query.atMs}.${query.queryId}`;

/** The query that a token names; undefined when it is no token of ours. */
function decode(token: string): ListedQuery | undefined {
  const match = /^([el])\.(\d+)\.(.+)$/.exec(token);
  return match ? { ended: match[1] === 'e', atMs: Number(match[2]), queryId: match[3] ?? '' } : undefined;
}

/** Whether `token` may be passed to `pageOf`. */
export const isPageToken = (token: string): boolean => token === '' || decode(token) !== undefined;

/** The next `size` queries of all sources after `token`. Of a query that several sources know, the first source counts. */
export function pageOf<T>(
  sources: readonly (readonly T[])[],
  listed: (item: T) => ListedQuery,
  size: number,
  token: string,
): QueryPage<T> {
  const after = token === '' ? undefined : decode(token);
  const seen = new Set<string>();
  const rest: { item: T; place: ListedQuery }[] = [];
  for (const item of sources.flat()) {
    const place = listed(item);
    if (seen.has(place.queryId)) continue;
    seen.add(place.queryId);
    if (after === undefined || compare(after, place) < 0) rest.push({ item, place });
  }
  rest.sort((a, b) => compare(a.place, b.place));
  const page = rest.slice(0, size);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    nextPageToken: last !== undefined && rest.length > size ? encode(last.place) : '',
  };
}
