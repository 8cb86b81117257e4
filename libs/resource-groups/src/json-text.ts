// Reads JSON into values that know their places, which JSON.parse does not tell. It reads what JSON.parse reads and
// nothing else (RFC 8259); a test holds the two against each other.

/** A value and where it stands: from `offset` to before `end`. */
export type JsonNode = { readonly offset: number; readonly end: number } & (
  | { readonly kind: 'object'; readonly properties: readonly JsonProperty[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null }
);

export interface JsonProperty {
  readonly name: string;
  /** Where the name stands. */
  readonly offset: number;
  readonly value: JsonNode;
}

/** Why a text is no JSON, and where that shows first. */
export interface JsonFault {
  readonly offset: number;
  readonly text: string;
}

/** How deep brackets may be nested: far beyond what any file means, and well within the stack. */
const NESTING_MAX = 200;

/** Reads a whole text. */
export function readJson(text: string): { readonly ok: JsonNode } | { readonly fault: JsonFault } {
  const reader = new Reader(text);
  try {
    return { ok: reader.document() };
  } catch (error) {
    if (error instanceof FaultFound) return { fault: error.fault };
    throw error;
  }
}

/** Ends the descent at the first fault; never leaves this file. */
class FaultFound extends Error {
  constructor(readonly fault: JsonFault) {
    super(fault.text);
  }
}

const WORD = /[A-Za-z]+/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING_PART = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const WORDS = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

class Reader {
  private at = 0;
  private depth = 0;

  constructor(private readonly text: string) {}

  document(): JsonNode {
    const value = this.value();
    this.skipSpace();
    if (this.at < this.text.length) this.fault('nothing may follow here');
    return value;
  }

  private value(): JsonNode {
    this.skipSpace();
    const offset = this.at;
    const first = this.text[offset];
    if (first === '{')
      return this.nested(() => ({ kind: 'object', offset, properties: this.properties(), end: this.at }));
    if (first === '[') return this.nested(() => ({ kind: 'array', offset, items: this.items(), end: this.at }));
    return { kind: 'scalar', offset, value: this.scalar(first), end: this.at };
  }

  private nested(read: () => JsonNode): JsonNode {
    if (++this.depth > NESTING_MAX) this.fault(`brackets are nested more than ${NESTING_MAX} deep`);
    const node = read();
    this.depth--;
    return node;
  }

  private properties(): JsonProperty[] {
    const properties: JsonProperty[] = [];
    this.list('}', () => {
      const offset = this.at;
      if (this.text[offset] !== '"') this.fault('the name of a property is expected here, in "quotation marks"');
      const name = this.string();
      this.skipSpace();
      if (this.text[this.at] !== ':') this.fault("a ':' is expected here");
      this.at++;
      properties.push({ name, offset, value: this.value() });
    });
    return properties;
  }

  private items(): JsonNode[] {
    const items: JsonNode[] = [];
    this.list(']', () => items.push(this.value()));
    return items;
  }

  /** From the bracket that opens to behind the one that closes. */
  private list(close: '}' | ']', readOne: () => void): void {
    this.at++;
    this.skipSpace();
    if (this.text[this.at] === close) {
      this.at++;
      return;
    }
    for (;;) {
      readOne();
      this.skipSpace();
      const sign = this.text[this.at];
      if (sign !== ',' && sign !== close) this.fault(`a ',' or a '${close}' is expected here`);
      this.at++;
      if (sign === close) return;
      this.skipSpace();
      if (this.text[this.at] === close) this.fault(`no '${close}' may follow a ','`);
    }
  }

  private scalar(first: string | undefined): string | number | boolean | null {
    if (first === '"') return this.string();
    if (first === '/') this.fault('comments are not allowed');
    const number = this.skip(NUMBER);
    if (number !== '') return Number(number);
    const offset = this.at;
    const value = WORDS.get(this.skip(WORD));
    this.at = value === undefined ? offset : this.at;
    return value === undefined ? this.fault('a value is expected here; text stands in "quotation marks"') : value;
  }

  private string(): string {
    const offset = this.at++;
    let hasEscapes = false;
    for (;;) {
      this.move(STRING_PART);
      const sign = this.text[this.at];
      if (sign === '"') break;
      if (sign === undefined) this.fault('the text that begins here has no end: a quotation mark is missing', offset);
      if (sign !== '\\') this.fault('this character is not allowed in a text; write it with a backslash');
      hasEscapes = true;
      if (this.skip(ESCAPE) === '') this.fault('there is no such escape; a backslash is written \\\\');
    }
    this.at++;
    const { text, at } = this;
    return hasEscapes ? (JSON.parse(text.slice(offset, at)) as string) : text.slice(offset + 1, at - 1);
  }

  private skipSpace(): void {
    // Space, tab, line feed and carriage return.
    for (let code = this.text.charCodeAt(this.at); code === 32 || code === 9 || code === 10 || code === 13;) {
      code = this.text.charCodeAt(++this.at);
    }
  }

  /** Moves behind what the pattern finds here, and returns it. */
  private skip(pattern: RegExp): string {
    const from = this.at;
    this.move(pattern);
    return this.text.slice(from, this.at);
  }

  private move(pattern: RegExp): void {
    pattern.lastIndex = this.at;
    if (pattern.test(this.text)) this.at = pattern.lastIndex;
  }

  private fault(text: string, offset = this.at): never {
    throw new FaultFound({ offset, text });
  }
}
