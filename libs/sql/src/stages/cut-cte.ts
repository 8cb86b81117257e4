// Common tables that are computed once and read several times.
import { invariant } from '@tutti/base';
import type { Cutter, SharedRows } from './cutter.js';
import { type Fragment, isDivided, withoutOrigins } from './fragment.js';
import type { NodeOf } from './plan-nodes.js';

/** Replicated rows up to this length of SQL are written into each reader: they cost no stage, and every task can make them. */
const INLINE_LENGTH_MAX = 4_096;

export function openCte(node: NodeOf<'cte'>, cutter: Cutter): Fragment | undefined {
  cutter.ctes.set(node.cteId, { node, opened: undefined });
  return cutter.open(node.child);
}

export function openCteScan({ cteId }: NodeOf<'cteScan'>, cutter: Cutter): Fragment | undefined {
  const cte = cutter.ctes.get(cteId);
  invariant(cte !== undefined, `common table ${cteId} is read outside of its scope`);
  cte.opened ??= { rows: share(cte.node, cutter) }; // Once: its stages are named after its node.
  const { rows } = cte.opened;
  if (rows === undefined) return undefined;
  if (rows.kind === 'inline') return rows.fragment;
  const { stage } = rows;
  return cutter.read(stage, rows.isDivided && !cutter.isSmall(stage.rows) ? 'own' : 'all');
}

function share(node: NodeOf<'cte'>, cutter: Cutter): SharedRows | undefined {
  const fragment = cutter.open(node.definition);
  if (fragment === undefined) return undefined;
  const isInline = fragment.distribution.kind === 'replicated' && fragment.sql.length <= INLINE_LENGTH_MAX;
  if (isInline) return { kind: 'inline', fragment: withoutOrigins(fragment) };
  const stage = cutter.close(fragment, node, 'cte', { kind: 'files' });
  return stage && { kind: 'stage', stage, isDivided: isDivided(fragment) };
}
