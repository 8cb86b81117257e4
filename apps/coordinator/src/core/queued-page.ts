// Pages through the queries that wait, of several coordinators. Pure.
//   O1. Order: by the path of the group; in a group of one coordinator as its group machine says. Lists of several
//       coordinators merge: the better place goes first, then the older query, and no list is reordered.
//   O2. A page token names, of each coordinator, the last query that was returned. The coordinator goes on behind it, or,
//       when it waits no more, behind where it stood: by priority in a group that goes by priority, then by age.
import type { QueryId } from '@tutti/base';

/** A query that waits at this coordinator. */
export interface QueuedEntry {
  readonly queryId: QueryId;
  readonly group: string;
  readonly priority: number;
  /** Whether its group goes by priority. */
  readonly byPriority: boolean;
}

/** The last query of a coordinator that was returned. */
export interface QueuedCursor {
  readonly queryId: string;
  readonly group: string;
  readonly priority: number;
}

/** What one coordinator has left, in its order. */
export interface QueuedSource<T> {
  readonly nodeId: string;
  readonly items: readonly T[];
  /** Whether it has more than these. */
  readonly hasMore: boolean;
}

/** What the merging looks at. */
export interface QueuedPlace extends QueuedCursor {
  /** Its place among those that wait for the blocking group; 1 is next. */
  readonly position: number;
  readonly createdMs: number;
}

/** By node id. */
export type QueuedCursors = ReadonlyMap<string, QueuedCursor>;

/** O1: the entries group by group, by path. Each group keeps its order. */
export function byGroup(entries: Iterable<QueuedEntry>, isWanted: (group: string) => boolean): QueuedEntry[] {
  const groups = new Map<string, QueuedEntry[] | undefined>();
  for (const entry of entries) {
    if (!groups.has(entry.group)) groups.set(entry.group, isWanted(entry.group) ? [] : undefined);
    groups.get(entry.group)?.push(entry);
  }
  const wanted = [...groups].filter((group): group is [string, QueuedEntry[]] => group[1] !== undefined);
  return wanted.sort(([a], [b]) => compare(a, b)).flatMap(([, members]) => members);
}

/** O2: what comes behind the cursor; everything without one. */
export function entriesBehind(entries: readonly QueuedEntry[], cursor: QueuedCursor | undefined): QueuedEntry[] {
  if (cursor === undefined) return [...entries];
  const at = entries.findIndex(({ queryId, group }) => queryId === cursor.queryId && group === cursor.group);
  return at >= 0 ? entries.slice(at + 1) : entries.filter((entry) => isBehind(entry, cursor));
}

function isBehind(entry: QueuedEntry, cursor: QueuedCursor): boolean {
  if (entry.group !== cursor.group) return entry.group > cursor.group;
  if (entry.byPriority && entry.priority !== cursor.priority) return entry.priority < cursor.priority;
  return entry.queryId > cursor.queryId; // Ids of one coordinator are in the order of their making.
}

/** The next `size` items of all sources, and where each source goes on; `next` is undefined at the end. */
export function mergeQueued<T>(
  sources: readonly QueuedSource<T>[],
  placeOf: (item: T) => QueuedPlace,
  size: number,
  from: QueuedCursors,
): { readonly items: T[]; readonly next: QueuedCursors | undefined } {
  const lists = sources.map(({ nodeId, items, hasMore }) => ({
    nodeId,
    hasMore,
    left: items.map((item) => ({ item, place: placeOf(item) })).reverse(),
  }));
  const cursors = new Map(from);
  const items: T[] = [];
  while (items.length < size) {
    let best: (typeof lists)[number] | undefined;
    for (const list of lists) {
      const head = list.left.at(-1);
      const other = best?.left.at(-1);
      if (head && (other === undefined || comparePlaces(head.place, other.place) < 0)) best = list;
    }
    const taken = best?.left.pop();
    if (best === undefined || taken === undefined) break;
    const { queryId, group, priority } = taken.place;
    cursors.set(best.nodeId, { queryId, group, priority });
    items.push(taken.item);
    // What follows of this source is not here: whatever others have may come after it.
    if (best.left.length === 0 && best.hasMore) break;
  }
  const isOver = lists.every(({ left, hasMore }) => left.length === 0 && !hasMore);
  return { items, next: isOver ? undefined : cursors };
}

const comparePlaces = (a: QueuedPlace, b: QueuedPlace): number =>
  compare(a.group, b.group) || a.position - b.position || a.createdMs - b.createdMs || compare(a.queryId, b.queryId);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const encodeCursors = (cursors: QueuedCursors): string =>
  [...cursors]
    .map(([nodeId, { queryId, group, priority }]) =>
      [nodeId, queryId, group, String(priority)].map(encodeURIComponent).join('/'),
    )
    .join(',');

/** The cursors of a page token; undefined when it is no token of ours. */
export function decodeCursors(token: string): QueuedCursors | undefined {
  const cursors = new Map<string, QueuedCursor>();
  if (token === '') return cursors;
  for (const part of token.split(',')) {
    const [nodeId, queryId, group, priority, ...more] = part.split('/').map(decoded);
    if (!nodeId || !queryId || !group || !priority || !/^\d{1,10}$/.test(priority) || more.length > 0) return undefined;
    cursors.set(nodeId, { queryId, group, priority: Number(priority) });
  }
  return cursors;
}

/** The text that was encoded; undefined when it was not. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // A stray percent sign: no token of ours.
  }
}
