// A JSON text whose values know their places, and everything that is wrong with it.
//   J1. Every problem stands at a line and a column; all are told, in the order of the text.
//   J2. A property that stands twice is a problem: which one counts would be a guess.
import { type JsonNode, type JsonProperty, readJson } from './json-text.js';

/** A value in the text, or the place where a property is missing. */
export interface JsonField {
  /** Where it stands, for people: "rootGroups[0].name". Empty for the whole text. */
  readonly path: string;
  /** Undefined when the property is missing. */
  readonly node: JsonNode | undefined;
  /** Where its problems are told: at the value, or at the object that lacks it. */
  readonly offset: number;
}

/** Text, number, true or false; undefined for anything else. */
export const scalarOf = ({ node }: JsonField): string | number | boolean | undefined =>
  node?.kind === 'scalar' ? (node.value ?? undefined) : undefined;

/** The properties of an object in the text. */
export class JsonObject {
  private readonly properties = new Map<string, JsonProperty>();

  constructor(
    private readonly path: string,
    private readonly offset: number,
    properties: readonly JsonProperty[],
    source: JsonSource,
  ) {
    for (const property of properties) {
      const { name } = property;
      if (!this.properties.has(name)) this.properties.set(name, property);
      else source.problem({ path: this.pathOf(name), offset: property.offset }, 'stands twice in one object; keep one');
    }
  }

  /** The value of a property; `null` counts as missing, as in Presto. */
  get(name: string): JsonField {
    const value = this.properties.get(name)?.value;
    const isMissing = value === undefined || (value.kind === 'scalar' && value.value === null);
    if (isMissing) return { path: this.pathOf(name), node: undefined, offset: this.offset };
    return { path: this.pathOf(name), node: value, offset: value.offset };
  }

  /** The properties that are none of `known`, with the places of their names. */
  others(known: readonly string[]): (JsonProperty & Pick<JsonField, 'path'>)[] {
    const others = [...this.properties.values()].filter(({ name }) => !known.includes(name));
    return others.map((property) => ({ ...property, path: this.pathOf(property.name) }));
  }

  private pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}

/** How many problems are told of one text. */
const PROBLEMS_MAX = 100;
const SHOWN_LENGTH_MAX = 60;

export class JsonSource {
  private readonly found: { readonly offset: number; readonly path: string; readonly text: string }[] = [];
  private lineStarts: number[] | undefined;

  constructor(private readonly text: string) {}

  /** The whole text as a value; undefined, with a problem, when it is no JSON. */
  read(): JsonField | undefined {
    const result = readJson(this.text);
    if ('ok' in result) return { path: '', node: result.ok, offset: result.ok.offset };
    return this.problem({ path: '', offset: result.fault.offset }, `not JSON: ${result.fault.text}`);
  }

  /** Notes a problem at a value; goes on, so that all problems are told at once. */
  problem({ offset, path }: Pick<JsonField, 'offset' | 'path'>, text: string): undefined {
    this.found.push({ offset, path, text });
  }

  get hasProblems(): boolean {
    return this.found.length > 0;
  }

  /** J1: the problems as sentences, at most PROBLEMS_MAX and one that counts the rest. */
  problems(): string[] {
    const sorted = this.found.toSorted((a, b) => a.offset - b.offset);
    const told = sorted
      .slice(0, PROBLEMS_MAX)
      .map(({ offset, path, text }) => `line ${this.place(offset)}: ${path === '' ? '' : `${path}: `}${text}`);
    const left = sorted.length - told.length;
    return left > 0 ? [...told, `and ${left} more problems`] : told;
  }

  /** "12:7": line and column of a place in the text, both from 1. */
  place(offset: number): string {
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
