// How values travel through exchange files. Parquet keeps most types as they are; the others are written as a carrier of which
// they are read back without any loss. Applied to nested types from the inside out.
import type { PlanType } from './plan.js';

/** Types that come back from Parquet as they were: also NaN, -0.0, infinite dates and years before Christ. */
const KEPT = new Set([
  ...['BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT'],
  ...['FLOAT', 'DOUBLE', 'DECIMAL', 'VARCHAR', 'JSON', 'BLOB', 'UUID', 'DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMP_NS'],
  ...['TIMESTAMP WITH TIME ZONE'],
]);

/** Types whose text is read back exactly. */
const BY_TEXT = new Set([
  'HUGEINT',
  'UHUGEINT',
  'TIME WITH TIME ZONE',
  'TIME_NS',
  'BIT',
  'ENUM',
  'TIMESTAMP_S',
  'TIMESTAMP_MS',
  'BIGNUM',
]);

/** Whether values of the type can travel. */
export function isLossless(type: PlanType): boolean {
  if (KEPT.has(type.id) || BY_TEXT.has(type.id) || type.id === 'INTERVAL') return true;
  return ['LIST', 'ARRAY', 'STRUCT', 'MAP', 'UNION'].includes(type.id) && type.children.every(isLossless);
}

const isKept = (type: PlanType): boolean =>
  KEPT.has(type.id) || (['LIST', 'STRUCT', 'MAP'].includes(type.id) && type.children.every(isKept));

const field = (value: string, name: string): string => `struct_extract(${value}, '${name.replaceAll("'", "''")}')`;
const pack = (fields: readonly (readonly [name: string, value: string])[]): string =>
  `struct_pack(${fields.map(([name, value]) => `"${name.replaceAll('"', '""')}" := ${value}`).join(', ')})`;

/** SQL that turns a value of the type into its carrier. */
export function toCarrier(sql: string, type: PlanType, depth = 0): string {
  if (isKept(type)) return sql;
  if (BY_TEXT.has(type.id)) return `CAST(${sql} AS VARCHAR)`;
  const element = `x${depth}`;
  switch (type.id) {
    case 'INTERVAL':
      return `CASE WHEN ${sql} IS NOT NULL THEN ${intervalParts(sql)} END`;
    case 'ARRAY':
    case 'LIST': {
      const [child] = type.children as [PlanType];
      const list = type.id === 'ARRAY' ? `CAST(${sql} AS ${child.sql}[])` : sql;
      if (isKept(child)) return list;
      return `list_transform(${list}, lambda ${element}: ${toCarrier(element, child, depth + 1)})`;
    }
    case 'STRUCT': {
      const fields = type.children.map((child, index) => {
        const name = type.names?.[index] ?? '';
        return [name, toCarrier(field(sql, name), child, depth)] as const;
      });
      return `CASE WHEN ${sql} IS NOT NULL THEN ${pack(fields)} END`;
    }
    case 'UNION': {
      const members = type.children.map((child, index) => {
        const name = (type.names?.[index] ?? '').replaceAll("'", "''");
        return [`m${index}`, toCarrier(`union_extract(${sql}, '${name}')`, child, depth)] as const;
      });
      return `CASE WHEN ${sql} IS NOT NULL THEN ${pack([['tag', `CAST(union_tag(${sql}) AS VARCHAR)`], ...members])} END`;
    }
    default: {
      const [key, value] = type.children as [PlanType, PlanType];
      const entry = pack([
        ['k', toCarrier(field(element, 'key'), key, depth + 1)],
        ['v', toCarrier(field(element, 'value'), value, depth + 1)],
      ]);
      return `list_transform(map_entries(${sql}), lambda ${element}: ${entry})`;
    }
  }
}

/** In parts that together are the whole interval, also where it has no length in microseconds or reaches its bounds. */
function intervalParts(sql: string): string {
  const part = (name: string): string => `datepart('${name}', ${sql})`;
  // Hours are not limited to a day, nor years to a century; minutes and microseconds are within the hour and the minute.
  return pack([
    ['months', `(${part('year')} * 12 + ${part('month')})`],
    ['days', part('day')],
    ['micros', `(${part('hour')} * 3600000000 + ${part('minute')} * 60000000 + ${part('microsecond')})`],
  ]);
}

/** SQL that turns a carrier back into the value. */
export function fromCarrier(sql: string, type: PlanType, depth = 0): string {
  if (isKept(type)) return sql;
  if (BY_TEXT.has(type.id)) return `CAST(${sql} AS ${type.sql})`;
  const element = `x${depth}`;
  switch (type.id) {
    case 'INTERVAL': {
      const part = (name: string) => field(sql, name);
      const months = `to_months(CAST(${part('months')} AS INTEGER))`;
      return `(${months} + to_days(CAST(${part('days')} AS INTEGER)) + to_microseconds(${part('micros')}))`;
    }
    case 'ARRAY':
    case 'LIST': {
      const [child] = type.children as [PlanType];
      const list = isKept(child)
        ? sql
        : `list_transform(${sql}, lambda ${element}: ${fromCarrier(element, child, depth + 1)})`;
      return `CAST(${list} AS ${type.sql})`;
    }
    case 'STRUCT': {
      const fields = type.children.map((child, index) => {
        const name = type.names?.[index] ?? '';
        return [name, fromCarrier(field(sql, name), child, depth)] as const;
      });
      return `CAST(CASE WHEN ${sql} IS NOT NULL THEN ${pack(fields)} END AS ${type.sql})`;
    }
    case 'UNION': {
      const members = type.children.map((child, index) => {
        const name = type.names?.[index] ?? '';
        const value = `union_value("${name.replaceAll('"', '""')}" := ${fromCarrier(field(sql, `m${index}`), child, depth)})`;
        return `WHEN '${name.replaceAll("'", "''")}' THEN CAST(${value} AS ${type.sql})`;
      });
      return `CASE ${field(sql, 'tag')} ${members.join(' ')} END`;
    }
    default: {
      const [key, value] = type.children as [PlanType, PlanType];
      const entry = pack([
        ['key', fromCarrier(field(element, 'k'), key, depth + 1)],
        ['value', fromCarrier(field(element, 'v'), value, depth + 1)],
      ]);
      return `CAST(map_from_entries(list_transform(${sql}, lambda ${element}: ${entry})) AS ${type.sql})`;
    }
  }
}
