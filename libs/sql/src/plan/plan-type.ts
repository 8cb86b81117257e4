import { JsonNumber, type LosslessJson, type LosslessObject } from './lossless-json.js';
import type { PlanType } from './plan.js';
import { arrayOf, NotUnderstood, numberOf, objectOf, textOf } from './plan-fields.js';

/** Types without parameters. */
const SIMPLE = new Set([
  ...['BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT'],
  ...['UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'UHUGEINT', 'FLOAT', 'DOUBLE'],
  ...['VARCHAR', 'BLOB', 'BIT', 'UUID', 'DATE', 'TIME', 'TIME_NS', 'TIME WITH TIME ZONE'],
  ...['TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'TIMESTAMP WITH TIME ZONE', 'INTERVAL', 'BIGNUM'],
]);

/** SQL spells one name differently. */
const SPELLING: Readonly<Record<string, string>> = { SQLNULL: '"NULL"', NULL: '"NULL"' };

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export const simpleType = (id: string): PlanType => ({ id, sql: SPELLING[id] ?? id, children: [] });

/** Reads a type of the engine's plan. Throws NotUnderstood. */
export function typeFromPlan(json: LosslessJson | undefined): PlanType {
  const object = objectOf(json, 'a type');
  const id = textOf(object['id'], 'the name of a type');
  const info =
    object['type_info'] === undefined || object['type_info'] === null ? undefined : objectOf(object['type_info'], id);
  const alias = info?.['alias'];
  if (alias === 'JSON' && id === 'VARCHAR') return { id: 'JSON', sql: 'JSON', children: [] };
  if (typeof alias === 'string' && alias !== '') throw new NotUnderstood(`the type ${alias}`);
  if (id === 'NULL' || id === 'SQLNULL') return simpleType(id);
  if (info === undefined && SIMPLE.has(id)) return simpleType(id);
  if (info !== undefined) return parameterized(id, info);
  throw new NotUnderstood(`the type ${id}`);
}

function parameterized(id: string, info: LosslessObject): PlanType {
  switch (id) {
    case 'DECIMAL': {
      const width = numberOf(info['width'], 'the width of a DECIMAL');
      const scale = info['scale'] instanceof JsonNumber ? info['scale'].value : 0;
      return { id, sql: `DECIMAL(${width},${scale})`, children: [] };
    }
    case 'LIST': {
      const child = typeFromPlan(info['child_type']);
      return { id, sql: `${child.sql}[]`, children: [child] };
    }
    case 'ARRAY': {
      const child = typeFromPlan(info['child_type']);
      return { id, sql: `${child.sql}[${numberOf(info['size'], 'the size of an ARRAY')}]`, children: [child] };
    }
    case 'STRUCT': {
      const fields = fieldsOf(info);
      if (fields.some(({ name }) => name === '')) throw new NotUnderstood('a struct whose fields have no names');
      const sql = `STRUCT(${fields.map(({ name, type }) => `${quoted(name)} ${type.sql}`).join(', ')})`;
      return { id, sql, children: fields.map(({ type }) => type), names: fields.map(({ name }) => name) };
    }
    case 'MAP': {
      const entry = typeFromPlan(info['child_type']);
      const [key, value] = entry.children;
      if (key === undefined || value === undefined) throw new NotUnderstood('a MAP without key and value');
      return { id, sql: `MAP(${key.sql}, ${value.sql})`, children: [key, value] };
    }
    case 'UNION': {
      // The first field is the engine's own tag.
      const members = fieldsOf(info).slice(1);
      const sql = `UNION(${members.map(({ name, type }) => `${quoted(name)} ${type.sql}`).join(', ')})`;
      return { id, sql, children: members.map(({ type }) => type), names: members.map(({ name }) => name) };
    }
    case 'ENUM': {
      const values = arrayOf(info['values'], 'the values of an ENUM').map((value) =>
        textOf(value, 'a value of an ENUM'),
      );
      return { id, sql: `ENUM(${values.map(literal).join(', ')})`, children: [] };
    }
    default:
      throw new NotUnderstood(`the type ${id}`);
  }
}

function fieldsOf(info: LosslessObject): { name: string; type: PlanType }[] {
  return arrayOf(info['child_types'], 'fields').map((entry) => {
    const field = objectOf(entry, 'a field');
    return { name: textOf(field['first'], 'the name of a field'), type: typeFromPlan(field['second']) };
  });
}
