// The engine's own plan for people: an operator a line, below the one that takes its rows.
import { JsonNumber, type LosslessJson, type LosslessObject, parseLossless } from './lossless-json.js';

const ROWS = 'Estimated Cardinality';
const MESSAGE_LENGTH_MAX = 120;

/** The lines of what EXPLAIN (FORMAT json) says. */
export function engineLines(explainJson: string): readonly string[] {
  const lines: string[] = [];
  try {
    for (const node of itemsOf(parseLossless(explainJson))) addLines(node, '', lines);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [`(not shown: ${error.message.slice(0, MESSAGE_LENGTH_MAX)})`];
  }
  return lines;
}

function addLines(node: LosslessJson, indent: string, lines: string[]): void {
  if (!isObject(node)) return;
  const info = isObject(node['extra_info']) ? node['extra_info'] : {};
  const rows = textOf(info[ROWS]);
  const facts = Object.entries(info).flatMap(([name, value]) => {
    const text = itemsOf(value).map(textOf).join(', ');
    return name === ROWS || text === '' ? [] : [`${name}: ${text}`];
  });
  const expected = rows === '' ? '' : `, about ${rows} rows`;
  const line = `${textOf(node['name'])}${expected}${facts.length === 0 ? '' : ` [${facts.join('; ')}]`}`;
  lines.push(`${indent}${line.replace(/\s*\n\s*/g, ' ')}`);
  for (const child of itemsOf(node['children'])) addLines(child, `${indent}  `, lines);
}

const isObject = (json: LosslessJson | undefined): json is LosslessObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof JsonNumber);

const itemsOf = (json: LosslessJson | undefined): readonly LosslessJson[] =>
  json === undefined ? [] : Array.isArray(json) ? (json as readonly LosslessJson[]) : [json];

const textOf = (json: LosslessJson | undefined): string =>
  json instanceof JsonNumber ? json.text : typeof json === 'string' ? json : '';
