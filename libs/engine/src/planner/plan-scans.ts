import { type LosslessJson, type LosslessObject, JsonNumber, parseLossless } from '@tutti/sql';

/** Columns that a plan reads of one stub file, by their place in it. */
export interface PlanScan {
  readonly stubPath: string;
  readonly columns: ReadonlySet<number>;
}

/** Finds the scans of Parquet files in a plan of the engine. What is no such scan is left to those who understand the plan. */
export function scansOf(planJson: string): PlanScan[] {
  const scans = new Map<string, Set<number>>();
  visit(parseLossless(planJson), scans);
  return [...scans].map(([stubPath, columns]) => ({ stubPath, columns }));
}

function visit(json: LosslessJson, scans: Map<string, Set<number>>): void {
  if (Array.isArray(json)) return json.forEach((item: LosslessJson) => visit(item, scans));
  if (!isObject(json)) return;
  if (json['type'] === 'LOGICAL_GET') addScan(json, scans);
  for (const value of Object.values(json)) if (value !== undefined) visit(value, scans);
}

function addScan(get: LosslessObject, scans: Map<string, Set<number>>): void {
  const [file] = itemsOf(fieldOf(get['function_data'], 'files'));
  if (typeof file !== 'string') return;
  const columns = scans.get(file) ?? new Set<number>();
  scans.set(file, columns);
  const read = itemsOf(get['column_indexes']).map((column) => fieldOf(column, 'index'));
  const filtered = itemsOf(fieldOf(get['table_filters'], 'filters')).map((filter) => fieldOf(filter, 'key'));
  for (const index of [...read, ...filtered]) if (index instanceof JsonNumber) columns.add(index.value);
}

const isObject = (json: LosslessJson | undefined): json is LosslessObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof JsonNumber);

const fieldOf = (json: LosslessJson | undefined, name: string): LosslessJson | undefined =>
  isObject(json) ? json[name] : undefined;

const itemsOf = (json: LosslessJson | undefined): readonly LosslessJson[] =>
  Array.isArray(json) ? (json as readonly LosslessJson[]) : [];
