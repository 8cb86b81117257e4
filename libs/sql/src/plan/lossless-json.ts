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

const NUMBER = /-?(?:\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|Infinity|NaN|inf|nan)/y;
const BLANKS = new Set([' ', '\n', '\t', '\r']);
const WORDS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/** Plans are long and each query has one: a character is looked at once, and only numbers by a pattern. */
class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(depth: number): LosslessJson {
    if (depth > DEPTH_MAX) throw new SyntaxError(`more than ${DEPTH_MAX} levels`);
    switch (this.peek()) {
      case '"':
        return this.string();
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      default:
        return this.scalar();
    }
  }

  end(): void {
    if (this.peek() !== '') throw this.unexpected();
  }

  private array(depth: number): LosslessJson[] {
    const items: LosslessJson[] = [];
    this.at++;
    if (this.skip(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.skip(','));
    this.expect(']');
    return items;
  }

  private object(depth: number): LosslessObject {
    const fields: Record<string, LosslessJson> = {};
    this.at++;
    if (this.skip('}')) return fields;
    do {
      if (this.peek() !== '"') throw this.unexpected();
      const key = this.string();
      this.expect(':');
      const value = this.value(depth + 1);
      if (key === '__proto__') Object.defineProperty(fields, key, { value, enumerable: true });
      else fields[key] = value;
    } while (this.skip(','));
    this.expect('}');
    return fields;
  }

  private string(): string {
    const start = this.at;
    let end = this.text.indexOf('"', start + 1);
    while (end > 0 && this.isEscaped(end)) end = this.text.indexOf('"', end + 1);
    if (end < 0) throw this.unexpected();
    this.at = end + 1;
    const inside = this.text.slice(start + 1, end);
    return inside.includes('\\') ? (JSON.parse(`"${inside}"`) as string) : inside;
  }

  /** Whether an odd number of backslashes precedes a place. */
  private isEscaped(place: number): boolean {
    let before = place;
    while (this.text[before - 1] === '\\') before--;
    return (place - before) % 2 === 1;
  }

  private scalar(): LosslessJson {
    for (const [word, value] of WORDS) {
      if (!this.text.startsWith(word, this.at)) continue;
      this.at += word.length;
      return value;
    }
    NUMBER.lastIndex = this.at;
    const [number] = NUMBER.exec(this.text) ?? [];
    if (number === undefined) throw this.unexpected();
    this.at += number.length;
    return new JsonNumber(number);
  }

  /** The next character that is no blank; '' at the end. */
  private peek(): string {
    while (BLANKS.has(this.text[this.at] ?? '')) this.at++;
    return this.text[this.at] ?? '';
  }

  private skip(mark: string): boolean {
    if (this.peek() !== mark) return false;
    this.at++;
    return true;
  }

  private expect(mark: string): void {
    if (!this.skip(mark)) throw this.unexpected();
  }

  private unexpected(): SyntaxError {
    return new SyntaxError(`unexpected text at ${this.at}: ${this.text.slice(this.at, this.at + 20)}`);
  }
}
