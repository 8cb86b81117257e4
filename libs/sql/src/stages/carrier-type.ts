import { toCarrier } from '../plan/exchange-type.js';
import type { PlanType } from '../plan/plan.js';

const simple = (id: string): PlanType => ({ id, sql: id, children: [] });
const BIGINT = simple('BIGINT');

/** The type of what toCarrier() writes for values of a type. */
export function carrierType(type: PlanType): PlanType {
  if (toCarrier('x', type) === 'x') return type;
  switch (type.id) {
    case 'INTERVAL':
      return structOf(['months', 'days', 'micros'], [BIGINT, BIGINT, BIGINT]);
    case 'LIST':
    case 'ARRAY':
      return listOf(type.children.map(carrierType));
    case 'STRUCT':
      return structOf(type.names ?? [], type.children.map(carrierType));
    case 'MAP':
      return listOf([structOf(['k', 'v'], type.children.map(carrierType))]);
    case 'UNION':
      return structOf(
        ['tag', ...type.children.map((_, index) => `m${index}`)],
        [simple('VARCHAR'), ...type.children.map(carrierType)],
      );
    default:
      return simple('VARCHAR');
  }
}

const listOf = (children: readonly PlanType[]): PlanType => ({
  id: 'LIST',
  sql: `${children[0]?.sql ?? 'VARCHAR'}[]`,
  children,
});

function structOf(names: readonly string[], children: readonly PlanType[]): PlanType {
  const fields = children.map(({ sql }, index) => `"${(names[index] ?? '').replaceAll('"', '""')}" ${sql}`);
  return { id: 'STRUCT', sql: `STRUCT(${fields.join(', ')})`, children, names };
}
