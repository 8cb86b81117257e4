// Makes a failing query smaller: parts are left out as long as it still fails.
import type { Query, Source } from './query-tree.js';

/** Tries at most `attempts` smaller queries. `fails` says whether one still fails in the same way. */
export async function shrink(
  query: Query,
  attempts: number,
  fails: (query: Query) => Promise<boolean>,
): Promise<Query> {
  let smallest = query;
  let left = attempts;
  for (let found = true; found && left > 0;) {
    found = false;
    for (const candidate of smaller(smallest)) {
      if (left-- <= 0) break;
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      found = true;
      break;
    }
  }
  return smallest;
}

/** The query without one of its parts, the largest parts first. */
export function* smaller(query: Query): Generator<Query> {
  for (const inner of queriesOf(query.from)) yield inner;
  if (query.set !== undefined) {
    yield { ...query, set: undefined };
    yield query.set.query;
  }
  if (query.ctes.length > 0) yield { ...query, ctes: [] };
  for (const from of smallerSources(query.from)) yield { ...query, from };
  if (query.limit !== undefined) yield { ...query, limit: undefined };
  if (query.having !== undefined) yield { ...query, having: undefined };
  if (query.isDistinct) yield { ...query, isDistinct: false };
  if (query.groups !== undefined) yield { ...query, groups: undefined };
  for (const index of query.where.keys()) yield { ...query, where: query.where.filter((_, at) => at !== index) };
  if (query.items.length > 1)
    for (const index of query.items.keys()) yield { ...query, items: query.items.filter((_, at) => at !== index) };
  for (const { name, query: inner } of query.ctes)
    for (const less of smaller(inner))
      yield { ...query, ctes: query.ctes.map((cte) => (cte.name === name ? { name, query: less } : cte)) };
}

function queriesOf(source: Source): Query[] {
  if (source.kind === 'query') return [source.query];
  return source.kind === 'join' ? [...queriesOf(source.left), ...queriesOf(source.right)] : [];
}

function* smallerSources(source: Source): Generator<Source> {
  if (source.kind === 'query') for (const query of smaller(source.query)) yield { ...source, query };
  if (source.kind !== 'join') return;
  yield source.left;
  yield source.right;
  if (source.on.length > 1)
    for (const index of source.on.keys()) yield { ...source, on: source.on.filter((_, at) => at !== index) };
  for (const left of smallerSources(source.left)) yield { ...source, left };
  for (const right of smallerSources(source.right)) yield { ...source, right };
}
