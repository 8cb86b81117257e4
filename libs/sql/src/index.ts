export {
  type Catalog,
  type CatalogColumn,
  type CatalogSchema,
  type CatalogTable,
  type CsvOptions,
  FILE_EXTENSIONS,
  type JsonOptions,
  type TableFormat,
  type TableSource,
} from './catalog.js';
export { type CatalogDecoding, decodeCatalog } from './catalog-decoder.js';
export { parseColumnType } from './column-type.js';
export { nearestName } from './nearest.js';
