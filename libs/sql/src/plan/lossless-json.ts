// JSON as the engine writes plans: numbers keep their text, since 64-bit integers and the digits of doubles count, and NaN and
// Infinity are bare words.

/** A number by its text, such as 18446744073709551615, 1e300, NaN or -Infinity. */
export class JsonNumber {
  constructor(readonly text: string) {}

  /** As a number of JavaScript; exact up to 2^53. */
  get value(): number {
    return Number(this.text);
  }
}

export type LosslessJson = string | boolean | null | JsonNumber | readonly LosslessJson[] | LosslessObject;
export interface LosslessObject {
  readonly [key: string]: LosslessJson;
}

const TOKEN =
  /[\s]*(?:([[\]{},:])|("(?:[^"\\]|\\.)*")|(-?(?:\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|Infinity|NaN|inf|nan))|(true|false|null))/y;

/**
 * Deeper plans are refused. The engine takes expressions of up to 1,000 levels: one of the plan is two levels here, and up to
 * two when it is written as SQL again, since operators are cast to their types.
 */
const DEPTH_MAX = 800;

/** Parses a text. Throws SyntaxError. */
export function parseLossless(text: string): LosslessJson {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(depth: number): LosslessJson {
    if (depth > DEPTH_MAX) throw new SyntaxError(`more than ${DEPTH_MAX} levels`);
    const [, mark, text, number, word] = this.next();
    if (text !== undefined) return JSON.parse(text) as string;
    if (number !== undefined) return new JsonNumber(number);
    if (word !== undefined) return word === 'null' ? null : word === 'true';
    if (mark === '[') return this.array(depth);
    if (mark === '{') return this.object(depth);
    throw this.unexpected();
  }

  end(): void {
    if (this.text.slice(this.at).trim() !== '') throw this.unexpected();
  }

  private array(depth: number): LosslessJson[] {
    const items: LosslessJson[] = [];
    if (this.skip(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.skip(','));
    this.expect(']');
    return items;
  }

  private object(depth: number): LosslessObject {
    const entries: [string, LosslessJson][] = [];
    if (this.skip('}')) return {};
    do {
      const [, , key] = this.next();
      if (key === undefined) throw this.unexpected();
      this.expect(':');
      entries.push([JSON.parse(key) as string, this.value(depth + 1)]);
    } while (this.skip(','));
    this.expect('}');
    return Object.fromEntries(entries);
  }

  private next(): RegExpExecArray {
    TOKEN.lastIndex = this.at;
    const found = TOKEN.exec(this.text);
    if (found === null) throw this.unexpected();
    this.at = TOKEN.lastIndex;
    return found;
  }

  private skip(mark: string): boolean {
    const before = this.at;
    if (this.next()[1] === mark) return true;
    this.at = before;
    return false;
  }

  private expect(mark: string): void {
    if (!this.skip(mark)) throw this.unexpected();
  }

  private unexpected(): SyntaxError {
    return new SyntaxError(`unexpected text at ${this.at}: ${this.text.slice(this.at, this.at + 20)}`);
  }
}
