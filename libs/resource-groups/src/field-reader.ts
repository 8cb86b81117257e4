import { nearestName, parseDurationMs, parseSizeBytes } from '@tutti/base';
import type { MemoryLimit } from './group-config.js';
import { type JsonField, JsonObject, type JsonSource } from './json-source.js';

/** Presto's numbers are Java's int. */
export const INT_MAX = 2_147_483_647;

/** Reads values of known kinds. A value of another kind is a problem and gives undefined; so does a missing one. */
export class FieldReader {
  constructor(private readonly source: JsonSource) {}

  object(field: JsonField, what: string, known: readonly string[]): JsonObject | undefined {
    if (field.node?.kind !== 'object') return this.wrong(field, `must be an object with ${what}`);
    const object = new JsonObject(field, field.node.properties);
    for (const [name, other] of object.others(known)) {
      const nearest = this.source.isFull ? undefined : nearestName(name, known);
      const help = nearest === undefined ? `; known are ${known.join(', ')}` : meant(nearest);
      this.source.problem(other, `Unknown property at line ${this.source.place(other)}: ${name}${help}`);
    }
    for (const field of object.repeated()) this.source.problem(field, 'stands twice in one object; keep one');
    return object;
  }

  /** A list that must hold something. */
  list(field: JsonField, max: number): JsonField[] | undefined {
    const { items } = field;
    if (items !== undefined && items.length > 0 && items.length <= max) return items;
    const was = items === undefined ? `was ${this.source.show(field)}` : `had ${items.length}`;
    return this.source.problem(field, `must be a list of 1 to ${max} entries, ${was}`);
  }

  /** A whole number, also as a text of digits: Presto takes both. */
  wholeNumber(field: JsonField, { min = 0, max = INT_MAX } = {}): number | undefined {
    const value = field.scalar;
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) return number;
    const tooMuch = typeof number === 'number' && number > max ? ` and <= ${max}` : '';
    return this.wrong(field, `must be a whole number >= ${min}${tooMuch}`);
  }

  text(field: JsonField, lengthMax: number): string | undefined {
    const value = field.scalar;
    if (typeof value === 'string' && value !== '' && value.length <= lengthMax) return value;
    return this.wrong(field, `must be a text of 1 to ${lengthMax} letters`);
  }

  boolean(field: JsonField): boolean | undefined {
    const value = field.scalar;
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    return this.wrong(field, 'must be true or false');
  }

  /** One of some words, in any case. */
  choice<T extends string>(field: JsonField, choices: readonly T[]): T | undefined {
    const value = field.scalar;
    const word = typeof value === 'string' ? value.toUpperCase() : undefined;
    const found = choices.find((choice) => choice.toUpperCase() === word);
    return found ?? this.wrong(field, `must be one of ${choices.join(', ')}`);
  }

  /** Milliseconds of a duration such as "1.5h". */
  durationMs(field: JsonField): number | undefined {
    const value = field.scalar;
    const durationMs = typeof value === 'string' ? parseDurationMs(value) : undefined;
    return durationMs ?? this.wrong(field, 'must be a duration such as "90s", "1.5h" or "2d"');
  }

  /** Bytes of a size such as "10GB". */
  sizeBytes(field: JsonField): number | undefined {
    const value = field.scalar;
    const bytes = typeof value === 'string' ? parseSizeBytes(value) : undefined;
    return bytes ?? this.wrong(field, 'must be a size such as "512MB" or "10GB"');
  }

  /** A size, or a share of the cluster's memory such as "10%" or "12.5%". */
  memoryLimit(field: JsonField): MemoryLimit | undefined {
    const value = field.scalar;
    if (typeof value !== 'string') return this.wrong(field, MEMORY_LIMIT);
    const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(value)?.[1];
    if (percent !== undefined) return { kind: 'percent', percent: Number(percent) };
    const bytes = parseSizeBytes(value);
    return bytes === undefined ? this.wrong(field, MEMORY_LIMIT) : { kind: 'bytes', bytes };
  }

  private wrong(field: JsonField, mustBe: string): undefined {
    return this.source.problem(field, `${mustBe}, was ${this.source.show(field)}`);
  }
}

const MEMORY_LIMIT = 'must be a size such as "10GB", or a share of all workers\' memory such as "10%"';

/** Reads a property that may be left out. */
export const optional = <T>(field: JsonField, read: (field: JsonField) => T): T | undefined =>
  field.node === undefined ? undefined : read(field);

/** The end of a sentence about a name that does not exist. */
export const meant = (nearest: string | undefined): string =>
  nearest === undefined ? '' : `; did you mean "${nearest}"?`;
