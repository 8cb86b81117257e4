import type { Catalog, CatalogSchema, CatalogTable } from './catalog.js';
import { nearestNames } from './nearest-names.js';
import { didYouMean, type StatementErrorReason } from './statement-error.js';

/** In which catalog and schema unqualified names are looked up, and how queries are planned. */
export interface Session {
  readonly catalog: string;
  readonly schema: string;
  /** On how many workers a query may run: on several when it reads much (the default), on one only, or on several always. */
  readonly distribution?: 'auto' | 'single' | 'forced';
}

/** A table with its full name. */
export interface NamedTable {
  readonly catalog: Catalog;
  readonly schema: CatalogSchema;
  readonly table: CatalogTable;
}

/** A name that leads nowhere. */
export interface NameProblem {
  readonly reason: StatementErrorReason;
  readonly message: string;
}

const DEFAULT_SCHEMA = 'main';

/** The full name of a table, for messages and as a key. */
export const fullTableName = ({ catalog, schema, table }: NamedTable): string =>
  `${catalog.name}.${schema.name}.${table.name}`;

/** Names compare without case, as in SQL without quotes; the engine knows no other names either. */
export const byName = <T extends { readonly name: string }>(items: readonly T[], name: string): T | undefined =>
  items.find((item) => item.name.toLowerCase() === name.toLowerCase());

const namesOf = (items: readonly { readonly name: string }[]): string[] => items.map((item) => item.name);

/** Looks up a catalog. */
export function findCatalog(catalogs: readonly Catalog[], name: string): { ok: Catalog } | NameProblem {
  const catalog = byName(catalogs, name);
  if (catalog !== undefined) return { ok: catalog };
  const message = `Catalog "${name}" does not exist.`;
  const near = nearestNames(name, namesOf(catalogs));
  return {
    reason: 'CATALOG_NOT_FOUND',
    message: near.length > 0 ? didYouMean(message, near) : `${message} ${LIST_CATALOGS}`,
  };
}

const LIST_CATALOGS = 'SHOW CATALOGS lists those that do.';

/** Looks up a schema of a catalog. */
export function findSchema(catalog: Catalog, name: string): { ok: CatalogSchema } | NameProblem {
  const schema = byName(catalog.schemas, name);
  if (schema !== undefined) return { ok: schema };
  const message = `Schema "${name}" does not exist in catalog "${catalog.name}".`;
  const near = nearestNames(name, namesOf(catalog.schemas));
  if (near.length > 0) return { reason: 'SCHEMA_NOT_FOUND', message: didYouMean(message, near) };
  return { reason: 'SCHEMA_NOT_FOUND', message: `${message} SHOW SCHEMAS FROM ${catalog.name} lists those that do.` };
}

/**
 * Looks up a schema by one or two name parts. One part is a schema of the session's catalog, or else a catalog (with
 * schema "main"), as in the names of tables.
 */
export function findSchemaNamed(
  catalogs: readonly Catalog[],
  session: Session,
  parts: readonly string[],
): { ok: CatalogSchema } | NameProblem {
  const [first = '', second] = parts;
  const catalog = findCatalog(catalogs, second === undefined ? session.catalog : first);
  if (!('ok' in catalog)) return catalog;
  const schema = findSchema(catalog.ok, second ?? first);
  const named = second === undefined ? byName(catalogs, first) : undefined;
  return 'ok' in schema || named === undefined ? schema : findSchema(named, DEFAULT_SCHEMA);
}

/**
 * Looks up what one to three name parts may mean. Two parts are a schema of the session's catalog, or a catalog (with
 * schema "main"); when they are both, both tables are returned and the engine reports the ambiguity.
 */
export function findTables(
  catalogs: readonly Catalog[],
  session: Session,
  parts: readonly string[],
): { ok: readonly NamedTable[] } | NameProblem {
  const places = placesOf(catalogs, session, parts);
  if (!Array.isArray(places)) return places;
  const name = parts.at(-1) ?? '';
  const found = places.flatMap(({ catalog, schema }) => {
    const table = byName(schema.tables, name);
    return table === undefined ? [] : [{ catalog, schema, table }];
  });
  return found.length > 0 ? { ok: found } : tableProblem(catalogs, session, places, name);
}

interface Place {
  readonly catalog: Catalog;
  readonly schema: CatalogSchema;
}

function placesOf(catalogs: readonly Catalog[], session: Session, parts: readonly string[]): Place[] | NameProblem {
  const [first = '', second = ''] = parts;
  if (parts.length > 3)
    return { reason: 'TABLE_NOT_FOUND', message: `A table name has at most three parts, not ${parts.length}.` };
  if (parts.length === 2) {
    const asSchema = byName(byName(catalogs, session.catalog)?.schemas ?? [], first);
    const asCatalog = byName(catalogs, first);
    const own = byName(catalogs, session.catalog);
    const places: Place[] = [];
    if (own !== undefined && asSchema !== undefined) places.push({ catalog: own, schema: asSchema });
    const main = asCatalog === undefined ? undefined : byName(asCatalog.schemas, DEFAULT_SCHEMA);
    if (asCatalog !== undefined && main !== undefined) places.push({ catalog: asCatalog, schema: main });
    if (places.length > 0) return places;
  }
  const catalog = findCatalog(catalogs, parts.length === 3 ? first : session.catalog);
  if (!('ok' in catalog)) return catalog;
  const schema = findSchema(catalog.ok, parts.length === 3 ? second : parts.length === 2 ? first : session.schema);
  if (!('ok' in schema)) return schema;
  return [{ catalog: catalog.ok, schema: schema.ok }];
}

function tableProblem(
  catalogs: readonly Catalog[],
  session: Session,
  places: readonly Place[],
  name: string,
): NameProblem {
  const [place] = places;
  const where = place === undefined ? '' : ` in ${place.catalog.name}.${place.schema.name}`;
  const message = `Table "${name}" does not exist${where}.`;
  const near = nearestNames(
    name,
    places.flatMap(({ schema }) => namesOf(schema.tables)),
  );
  if (near.length > 0) return { reason: 'TABLE_NOT_FOUND', message: didYouMean(message, near) };
  const elsewhere = nearestNames(name, allTableNames(catalogs, session));
  if (elsewhere.length > 0) return { reason: 'TABLE_NOT_FOUND', message: didYouMean(message, elsewhere) };
  return { reason: 'TABLE_NOT_FOUND', message: `${message} SHOW TABLES lists those that do.` };
}

const allTableNames = (catalogs: readonly Catalog[], session: Session): string[] =>
  catalogs.flatMap((catalog) =>
    catalog.schemas.flatMap((schema) =>
      schema.tables.map((table) =>
        catalog.name.toLowerCase() === session.catalog.toLowerCase()
          ? `${schema.name}.${table.name}`
          : `${catalog.name}.${schema.name}.${table.name}`,
      ),
    ),
  );
