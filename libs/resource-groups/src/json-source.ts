// A JSON text whose values know their places, and everything that is wrong or doubtful with it.
//   J1. Every problem and warning stands at a line and a column; all are told, in the order of the text.
//   J2. A property that stands twice is a problem: which one counts would be a guess.
import { type JsonNode, type JsonProperty, readJson } from './json-text.js';

/** A value in the text, or the place where a property is missing. */
export class JsonField {
  constructor(
    private readonly parent: JsonField | undefined,
    private readonly key: string | number,
    /** Undefined when the property is missing. */
    readonly node: JsonNode | undefined,
    /** Where its problems are told: at the value, or at the object that lacks it. */
    readonly offset: number,
  ) {}

  /** Where it stands, for people: "rootGroups[0].name". Empty for the whole text. */
  get path(): string {
    const above = this.parent?.path ?? '';
    if (typeof this.key === 'number') return `${above}[${this.key}]`;
    return above === '' ? this.key : `${above}.${this.key}`;
  }

  /** Text, number, true or false; undefined for anything else. */
  get scalar(): string | number | boolean | undefined {
    return this.node?.kind === 'scalar' ? (this.node.value ?? undefined) : undefined;
  }

  /** The values of a list; undefined when it is none. */
  get items(): JsonField[] | undefined {
    if (this.node?.kind !== 'array') return undefined;
    return this.node.items.map((node, index) => new JsonField(this, index, node, node.offset));
  }

  get isEmptyList(): boolean {
    return this.node?.kind === 'array' && this.node.items.length === 0;
  }
}

/** The properties of an object in the text. */
export class JsonObject {
  constructor(
    private readonly field: JsonField,
    private readonly properties: readonly JsonProperty[],
  ) {}

  /** The value of a property; `null` counts as missing, as in Presto. */
  get(name: string): JsonField {
    const value = this.properties.find((property) => property.name === name)?.value;
    const isMissing = value === undefined || (value.kind === 'scalar' && value.value === null);
    return new JsonField(this.field, name, isMissing ? undefined : value, isMissing ? this.field.offset : value.offset);
  }

  /** The properties whose names are none of `known`; the fields stand where the names do. */
  others(known: readonly string[]): (readonly [name: string, field: JsonField])[] {
    return this.properties.filter(({ name }) => !known.includes(name)).map((property) => this.named(property));
  }

  /** The properties that stand in the object for the second time or more. */
  repeated(): JsonField[] {
    const names = new Set<string>();
    const repeated = this.properties.filter(({ name }) => names.has(name) || !names.add(name));
    return repeated.map((property) => this.named(property)[1]);
  }

  private named({ name, offset, value }: JsonProperty): readonly [string, JsonField] {
    return [name, new JsonField(this.field, name, value, offset)];
  }
}

/** How many problems, and how many warnings, are told of one text. */
const PROBLEMS_MAX = 100;
const SHOWN_LENGTH_MAX = 60;

interface Remark {
  readonly field: JsonField;
  readonly text: string;
}

export class JsonSource {
  private readonly found: Remark[] = [];
  private readonly doubts: Remark[] = [];
  private lineStarts: number[] | undefined;

  constructor(private readonly text: string) {}

  /** The whole text as a value; undefined, with a problem, when it is no JSON. */
  read(): JsonField | undefined {
    const result = readJson(this.text);
    if ('ok' in result) return new JsonField(undefined, '', result.ok, result.ok.offset);
    return this.problem(new JsonField(undefined, '', undefined, result.fault.offset), `not JSON: ${result.fault.text}`);
  }

  /** Notes a problem at a value; goes on, so that all problems are told at once. */
  problem(field: JsonField, text: string): undefined {
    this.found.push({ field, text });
  }

  /** Notes what is right but will hardly do what was meant. */
  warning(field: JsonField, text: string): void {
    this.doubts.push({ field, text });
  }

  get hasProblems(): boolean {
    return this.found.length > 0;
  }

  /** Whether more problems would only be counted, so that help with them is of no use. */
  get isFull(): boolean {
    return this.found.length >= PROBLEMS_MAX;
  }

  /** J1: the problems as sentences, at most PROBLEMS_MAX and one that counts the rest. */
  problems(): string[] {
    return this.told(this.found, 'problems');
  }

  /** J1: the same of the warnings. */
  warnings(): string[] {
    return this.told(this.doubts, 'warnings');
  }

  private told(remarks: readonly Remark[], what: string): string[] {
    const sorted = remarks.toSorted((a, b) => a.field.offset - b.field.offset);
    const sentences = sorted.slice(0, PROBLEMS_MAX).map(({ field, text }) => {
      const { path } = field;
      return `line ${this.place(field)}: ${path === '' ? '' : `${path}: `}${text}`;
    });
    const left = sorted.length - sentences.length;
    return left > 0 ? [...sentences, `and ${left} more ${what}`] : sentences;
  }

  /** "12:7": line and column of a value in the text, both from 1. */
  place({ offset }: JsonField): string {
    const starts = (this.lineStarts ??= lineStartsOf(this.text));
    let low = 0;
    for (let high = starts.length - 1; low < high;) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return `${low + 1}:${offset - (starts[low] ?? 0) + 1}`;
  }

  /** A value as it stands in the text, shortened. */
  show({ node }: JsonField): string {
    if (node === undefined) return 'missing';
    const text = this.text.slice(node.offset, Math.min(node.end, node.offset + 10 * SHOWN_LENGTH_MAX));
    const line = text.replace(/\s+/g, ' ');
    return line.length > SHOWN_LENGTH_MAX ? `${line.slice(0, SHOWN_LENGTH_MAX - 3)}...` : line;
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
