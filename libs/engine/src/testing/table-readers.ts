import type { Catalog } from '@tutti/sql';
import type { TableReader } from '../fragment.js';

/** The tables of catalogs as a fragment has them. */
export const tableReaders = (catalogs: readonly Catalog[]): TableReader[] =>
  catalogs.flatMap((catalog) =>
    catalog.schemas.flatMap((schema) =>
      schema.tables.map(({ source, ...table }) => ({
        ...table,
        catalog: catalog.name,
        schema: schema.name,
        files: 'files' in source ? source.files : [],
      })),
    ),
  );
