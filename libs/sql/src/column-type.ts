import { nearestName } from '@tutti/base';

/** Type names as a catalog may write them, each with the name that the engine shows for it. */
const SIMPLE_TYPES: Readonly<Record<string, string>> = {
  BOOLEAN: 'BOOLEAN',
  BOOL: 'BOOLEAN',
  TINYINT: 'TINYINT',
  SMALLINT: 'SMALLINT',
  INTEGER: 'INTEGER',
  INT: 'INTEGER',
  BIGINT: 'BIGINT',
  HUGEINT: 'HUGEINT',
  UTINYINT: 'UTINYINT',
  USMALLINT: 'USMALLINT',
  UINTEGER: 'UINTEGER',
  UBIGINT: 'UBIGINT',
  REAL: 'FLOAT',
  FLOAT: 'FLOAT',
  DOUBLE: 'DOUBLE',
  VARCHAR: 'VARCHAR',
  TEXT: 'VARCHAR',
  STRING: 'VARCHAR',
  BLOB: 'BLOB',
  DATE: 'DATE',
  TIME: 'TIME',
  TIMESTAMP: 'TIMESTAMP',
  TIMESTAMPTZ: 'TIMESTAMP WITH TIME ZONE',
  'TIMESTAMP WITH TIME ZONE': 'TIMESTAMP WITH TIME ZONE',
  INTERVAL: 'INTERVAL',
  UUID: 'UUID',
  JSON: 'JSON',
};
const TYPE_NAMES = [...Object.keys(SIMPLE_TYPES), 'DECIMAL', 'STRUCT', 'MAP'];
const DEPTH_MAX = 16;

class TypeTextError extends Error {}

/**
 * Reads the text of a column type and gives it back in the engine's own spelling. Only types of a fixed list pass,
 * since the text becomes part of the statements that read the table.
 * Grammar: NAME | DECIMAL(p,s) | STRUCT(field type, ...) | MAP(type, type), each with any number of [] behind it.
 */
export function parseColumnType(text: string): { readonly ok: string } | { readonly problem: string } {
  try {
    const parser = new TypeParser(text);
    const type = parser.type(0);
    parser.end();
    return { ok: type };
  } catch (error) {
    if (error instanceof TypeTextError) return { problem: error.message };
    throw error;
  }
}

const TOKEN = /\s*(?:("(?:[^"]|"")+")|([A-Za-z_][A-Za-z0-9_]*)|(\d{1,4})|([()[\],]))/y;

class TypeParser {
  private readonly tokens: string[] = [];
  private next = 0;

  constructor(text: string) {
    const trimmed = text.trim();
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < trimmed.length) {
      const at = TOKEN.lastIndex;
      const match = TOKEN.exec(trimmed);
      if (match === null) throw new TypeTextError(`unexpected '${trimmed.charAt(at)}' in the type`);
      this.tokens.push(match[0].trim());
    }
  }

  type(depth: number): string {
    if (depth > DEPTH_MAX) throw new TypeTextError(`types may be nested ${DEPTH_MAX} deep`);
    let type = this.plainType(depth);
    while (this.take('[')) {
      const length = /^\d+$/.test(this.peek()) ? this.tokens[this.next++] : '';
      this.expect(']');
      type += `[${length}]`;
    }
    return type;
  }

  end(): void {
    if (this.next < this.tokens.length) throw new TypeTextError(`unexpected '${this.peek()}' after the type`);
  }

  private plainType(depth: number): string {
    const word = this.word('a type');
    const name = word.toUpperCase();
    if (name === 'DECIMAL' || name === 'NUMERIC') return this.decimal();
    if (name === 'STRUCT') return `STRUCT(${this.list(() => this.field(depth)).join(', ')})`;
    if (name === 'MAP') {
      const sides = this.list(() => this.type(depth + 1));
      if (sides.length !== 2) throw new TypeTextError('MAP takes two types, of the key and of the value');
      return `MAP(${sides.join(', ')})`;
    }
    const withZone = name === 'TIMESTAMP' && this.peek().toUpperCase() === 'WITH';
    if (withZone) for (const part of ['WITH', 'TIME', 'ZONE']) this.expect(part);
    const known = Object.hasOwn(SIMPLE_TYPES, name) ? SIMPLE_TYPES[withZone ? 'TIMESTAMPTZ' : name] : undefined;
    if (known !== undefined) return known;
    const nearest = nearestName(name, TYPE_NAMES);
    throw new TypeTextError(`unknown type '${word}'${nearest === undefined ? '' : `; did you mean ${nearest}?`}`);
  }

  private decimal(): string {
    const numbers = this.peek() === '(' ? this.list(() => Number(this.tokens[this.next++])) : [18, 3];
    const [width = NaN, scale = 0] = numbers;
    const good = numbers.length <= 2 && width >= 1 && width <= 38 && scale >= 0 && scale <= width;
    if (!good) throw new TypeTextError('DECIMAL takes a width of 1 to 38 and a scale of 0 to the width');
    return `DECIMAL(${width},${scale})`;
  }

  private field(depth: number): string {
    const name = this.word('a field name');
    return `${name} ${this.type(depth + 1)}`;
  }

  private list<T>(item: () => T): T[] {
    this.expect('(');
    const items = [item()];
    while (this.take(',')) items.push(item());
    this.expect(')');
    return items;
  }

  private word(what: string): string {
    const token = this.tokens[this.next++] ?? '';
    if (!/^[A-Za-z_"]/.test(token))
      throw new TypeTextError(`expected ${what}${token === '' ? '' : `, not '${token}'`}`);
    return token;
  }

  private peek(): string {
    return this.tokens[this.next] ?? '';
  }

  private take(token: string): boolean {
    if (this.peek() !== token) return false;
    this.next++;
    return true;
  }

  private expect(token: string): void {
    if (this.peek().toUpperCase() !== token) throw new TypeTextError(`expected '${token}'`);
    this.next++;
  }
}
