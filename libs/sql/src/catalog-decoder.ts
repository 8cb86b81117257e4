import type {
  Catalog,
  CatalogColumn,
  CatalogSchema,
  CatalogTable,
  CsvOptions,
  JsonOptions,
  TableFormat,
  TableSource,
} from './catalog.js';
import { FILE_EXTENSIONS } from './catalog.js';
import { parseColumnType } from './column-type.js';
import { nearestName } from '@tutti/base';

/** A catalog, or everything that is wrong with its file: one sentence each, with the JSON path in front. */
export type CatalogDecoding = { readonly ok: Catalog } | { readonly problems: readonly string[] };

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const RESERVED_CATALOGS = ['system', 'temp', 'memory'];
const RESERVED_SCHEMAS = ['information_schema', 'pg_catalog'];
const FORMATS = Object.keys(FILE_EXTENSIONS) as TableFormat[];
const LAYOUTS = ['array', 'lines', 'objects'] as const;
const FILES_MAX = 10_000;
const COLUMNS_MAX = 2_000;
const TEXT_MAX = 2_000;

/**
 * Decodes the content of a catalog file. Looks at no file: relative paths are joined to `directory`, the absolute path
 * of the catalog file's own directory, and prefixes stay prefixes. `name` is the catalog's name, from the file's name.
 */
export function decodeCatalog(json: unknown, from: { name: string; directory: string }): CatalogDecoding {
  const decoder = new CatalogDecoder(from.directory);
  if (!NAME.test(from.name)) decoder.fail('$', `the name '${from.name}' is no catalog name; ${NAME_RULE}`);
  if (RESERVED_CATALOGS.includes(from.name.toLowerCase())) decoder.fail('$', `the name '${from.name}' is reserved`);
  const catalog = decoder.catalog(json, from.name);
  return decoder.problems.length > 0 ? { problems: decoder.problems } : { ok: catalog };
}

const NAME_RULE = 'names have letters, digits and _, and do not start with a digit';

type JsonObject = Readonly<Record<string, unknown>>;

class CatalogDecoder {
  readonly problems: string[] = [];

  constructor(private readonly directory: string) {}

  fail(path: string, problem: string): void {
    this.problems.push(`${path}: ${problem}`);
  }

  catalog(json: unknown, name: string): Catalog {
    const fields = this.object(json, '$', ['schemas', 'comment'], ['schemas']);
    const schemas = this.named(fields['schemas'], '$.schemas', (value, path, schema) =>
      this.schema(value, path, schema),
    );
    for (const { name: schema } of schemas)
      if (RESERVED_SCHEMAS.includes(schema.toLowerCase()))
        this.fail(`$.schemas.${schema}`, 'this schema name is reserved');
    return { name, ...this.comment(fields, '$'), schemas };
  }

  private schema(json: unknown, path: string, name: string): CatalogSchema {
    const fields = this.object(json, path, ['tables', 'comment'], ['tables']);
    const tables = this.named(fields['tables'], `${path}.tables`, (value, at, table) => this.table(value, at, table));
    return { name, ...this.comment(fields, path), tables };
  }

  private table(json: unknown, path: string, name: string): CatalogTable {
    const known = ['format', 'files', 'prefix', 'columns', 'comment', 'rows', 'csv', 'json'];
    const fields = this.object(json, path, known, ['format', 'columns']);
    const format = this.oneOf(fields['format'], `${path}.format`, FORMATS) ?? 'parquet';
    for (const other of ['csv', 'json'])
      if (fields[other] !== undefined && fields['format'] !== other)
        this.fail(`${path}.${other}`, `only a table with "format": "${other}" has these options`);
    return {
      name,
      ...this.comment(fields, path),
      format,
      source: this.source(fields, path),
      columns: this.columns(fields['columns'], `${path}.columns`),
      ...this.rows(fields['rows'], `${path}.rows`),
      ...(format === 'csv' ? { csv: this.csv(fields['csv'] ?? {}, `${path}.csv`) } : {}),
      ...(format === 'json' ? { json: this.jsonOptions(fields['json'] ?? {}, `${path}.json`) } : {}),
    };
  }

  private source(fields: JsonObject, path: string): TableSource {
    const { files, prefix } = fields;
    const given = Object.keys(fields).length > 0;
    if (given && (files === undefined) === (prefix === undefined)) this.fail(path, 'needs either "files" or "prefix"');
    if (prefix !== undefined) return { prefix: this.path(prefix, `${path}.prefix`) };
    if (files === undefined) return { files: [] };
    const list = this.array(files, `${path}.files`, FILES_MAX);
    const absolute = list.map((file, index) => this.path(file, `${path}.files[${index}]`));
    absolute.forEach((file, index) => {
      if (file !== '' && absolute.indexOf(file) < index)
        this.fail(`${path}.files[${index}]`, `'${file}' is listed twice`);
    });
    return { files: absolute };
  }

  private path(json: unknown, path: string): string {
    const text = this.text(json, path);
    if (text === undefined) return '';
    if (text === '' || text.includes('\0')) this.fail(path, 'expected a path');
    else if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text)) this.fail(path, `'${text}' is a URL; only files can be read`);
    else if (/[*?[\]]/.test(text))
      this.fail(path, `'${text}' has a wildcard; list the files, or name their directory with "prefix"`);
    return joinPath(this.directory, text);
  }

  private columns(json: unknown, path: string): CatalogColumn[] {
    if (json === undefined) return [];
    const list = this.array(json, path, COLUMNS_MAX);
    const seen = new Set<string>();
    return list.map((item, index) => {
      const at = `${path}[${index}]`;
      const fields = this.object(item, at, ['name', 'type', 'comment'], ['name', 'type']);
      const name = fields['name'] === undefined ? '' : (this.text(fields['name'], `${at}.name`) ?? '');
      // Column names come from files and may need quotes in SQL; they may not break a line or hide.
      if (fields['name'] !== undefined && !/^[^\p{Cc}]{1,255}$/u.test(name))
        this.fail(`${at}.name`, 'expected a column name');
      else if (seen.has(name.toLowerCase())) this.fail(`${at}.name`, `there are two columns '${name}'`);
      seen.add(name.toLowerCase());
      return { name, type: this.type(fields['type'], `${at}.type`), ...this.comment(fields, at) };
    });
  }

  private type(json: unknown, path: string): string {
    const text = json === undefined ? undefined : this.text(json, path);
    if (text === undefined) return 'VARCHAR';
    const parsed = parseColumnType(text);
    if ('ok' in parsed) return parsed.ok;
    this.fail(path, parsed.problem);
    return 'VARCHAR';
  }

  private csv(json: unknown, path: string): CsvOptions {
    const fields = this.object(
      json,
      path,
      ['header', 'headerNames', 'delim', 'quote', 'nullstr', 'dateformat', 'timestampformat'],
      [],
    );
    const { header = true, delim = ',', quote = '"', nullstr = '' } = fields;
    if (typeof header !== 'boolean') this.fail(`${path}.header`, 'expected true or false');
    if (typeof delim !== 'string' || !/^[^\0\r\n"\\A-Za-z0-9]$/u.test(delim))
      this.fail(`${path}.delim`, 'expected one character that is no letter, digit, quote or line break');
    if (typeof quote !== 'string' || !/^["'|`]?$/.test(quote) || (quote !== '' && quote === delim))
      this.fail(`${path}.quote`, 'expected one of " \' | ` or nothing, and not the delimiter');
    if (typeof nullstr !== 'string' || !/^[^\r\n\0]{0,64}$/u.test(nullstr))
      this.fail(`${path}.nullstr`, 'expected a text of one line with at most 64 characters');
    const names = fields['headerNames'];
    const headerNames =
      names === undefined
        ? undefined
        : this.array(names, `${path}.headerNames`, COLUMNS_MAX).map(
            (name, i) => this.text(name, `${path}.headerNames[${i}]`) ?? '',
          );
    if (headerNames !== undefined && header === false)
      this.fail(`${path}.headerNames`, 'the files have no header, says "header"');
    const formats: { dateformat?: string; timestampformat?: string } = {};
    for (const key of ['dateformat', 'timestampformat'] as const) {
      const format = fields[key];
      if (format === undefined) continue;
      if (typeof format === 'string' && /^(?:%-?[A-Za-z]|[ T:/.,_+Z-]){1,64}$/.test(format)) formats[key] = format;
      else this.fail(`${path}.${key}`, "expected a format in strptime's notation, such as %m/%d/%Y");
    }
    return {
      header: header === true,
      ...(headerNames && { headerNames }),
      delim: String(delim),
      quote: String(quote),
      nullstr: String(nullstr),
      ...formats,
    };
  }

  private jsonOptions(json: unknown, path: string): JsonOptions {
    const fields = this.object(json, path, ['layout'], []);
    const { layout = 'lines' } = fields;
    return { layout: this.oneOf(layout, `${path}.layout`, LAYOUTS) ?? 'lines' };
  }

  private rows(json: unknown, path: string): { rows?: number } {
    if (json === undefined) return {};
    if (Number.isSafeInteger(json) && Number(json) >= 0) return { rows: Number(json) };
    this.fail(path, 'expected a number of rows');
    return {};
  }

  private comment(fields: JsonObject, path: string): { comment?: string } {
    if (fields['comment'] === undefined) return {};
    const comment = this.text(fields['comment'], `${path}.comment`);
    return comment === undefined ? {} : { comment };
  }

  /** The members of an object that maps names to things, with C1 checked. */
  private named<T>(json: unknown, path: string, decode: (value: unknown, path: string, name: string) => T): T[] {
    if (json === undefined) return [];
    if (!isObject(json)) {
      this.fail(path, 'expected an object from names to definitions');
      return [];
    }
    const seen = new Set<string>();
    return Object.entries(json).map(([name, value]) => {
      const at = NAME.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
      if (!NAME.test(name)) this.fail(at, `this is no name; ${NAME_RULE}`);
      if (seen.has(name.toLowerCase())) this.fail(at, `the name is taken: case does not tell names apart`);
      seen.add(name.toLowerCase());
      return decode(value, at, name);
    });
  }

  private object(json: unknown, path: string, known: readonly string[], required: readonly string[]): JsonObject {
    if (!isObject(json)) {
      this.fail(path, `expected an object with ${known.map((key) => `"${key}"`).join(', ')}`);
      return {};
    }
    for (const key of Object.keys(json)) {
      if (known.includes(key)) continue;
      const nearest = nearestName(key, known);
      const advice = nearest === undefined ? `known here are ${known.join(', ')}` : `did you mean "${nearest}"?`;
      this.fail(path, `unknown key ${JSON.stringify(key)}; ${advice}`);
    }
    for (const key of required) if (json[key] === undefined) this.fail(path, `"${key}" is missing`);
    return json;
  }

  private array(json: unknown, path: string, itemsMax: number): readonly unknown[] {
    if (Array.isArray(json) && json.length > 0 && json.length <= itemsMax) return json as unknown[];
    this.fail(path, `expected a list of 1 to ${itemsMax}`);
    return [];
  }

  private text(json: unknown, path: string): string | undefined {
    if (typeof json === 'string' && json.length <= TEXT_MAX) return json;
    this.fail(path, `expected a text of at most ${TEXT_MAX} characters`);
    return undefined;
  }

  private oneOf<T extends string>(json: unknown, path: string, values: readonly T[]): T | undefined {
    const found = values.find((value) => value === json);
    if (found === undefined && json !== undefined) this.fail(path, `expected one of ${values.join(', ')}`);
    return found;
  }
}

const isObject = (json: unknown): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

/** `path` seen from `directory`, without '.' and '..' steps (C2). */
function joinPath(directory: string, path: string): string {
  const steps: string[] = [];
  for (const step of (path.startsWith('/') ? path : `${directory}/${path}`).split('/')) {
    if (step === '..') steps.pop();
    else if (step !== '' && step !== '.') steps.push(step);
  }
  return `/${steps.join('/')}`;
}
