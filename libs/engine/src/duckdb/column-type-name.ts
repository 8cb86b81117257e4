import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';

/** The SQL spelling of a type, for columns of results. */
export function typeName(type: DuckDBType): string {
  // An untyped NULL is an INTEGER by the time it is executed; the planner says the same.
  if (type.typeId === DuckDBTypeId.SQLNULL) return 'INTEGER';
  return type.alias ?? type.toString();
}
