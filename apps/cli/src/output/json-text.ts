// Cuts JSON text into the texts of its parts without decoding them, so that no digit of a number is lost on the way
// from the server to the output. Pure.

/** The text is not the JSON that it should be: the server sent something else than it promised. */
export class JsonTextError extends Error {
  override readonly name = 'JsonTextError';
}

/** The texts of the elements of a JSON array. */
export function splitJsonArray(text: string): string[] {
  const elements: string[] = [];
  let at = skipSpace(text, expect(text, skipSpace(text, 0), '['));
  if (text[at] === ']') return elements;
  for (;;) {
    const end = endOfValue(text, at);
    elements.push(text.slice(at, end));
    at = skipSpace(text, end);
    if (text[at] === ']') return elements;
    at = skipSpace(text, expect(text, at, ','));
  }
}

/** The texts of the keys (with their quotes) and values of a JSON object, in order. */
export function splitJsonObject(text: string): [key: string, value: string][] {
  const members: [string, string][] = [];
  let at = skipSpace(text, expect(text, skipSpace(text, 0), '{'));
  if (text[at] === '}') return members;
  for (;;) {
    const keyEnd = endOfValue(text, at);
    const valueStart = skipSpace(text, expect(text, skipSpace(text, keyEnd), ':'));
    const valueEnd = endOfValue(text, valueStart);
    members.push([text.slice(at, keyEnd), text.slice(valueStart, valueEnd)]);
    at = skipSpace(text, valueEnd);
    if (text[at] === '}') return members;
    at = skipSpace(text, expect(text, at, ','));
  }
}

/** The string that a JSON string text stands for. */
export function decodeJsonString(text: string): string {
  return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1);
}

const SCALAR_END = /[\s,\]}:]/g;
const NESTING = /["[\]{}]/g;

function endOfValue(text: string, at: number): number {
  const first = text[at];
  if (first === '"') return endOfString(text, at);
  if (first !== '[' && first !== '{') {
    SCALAR_END.lastIndex = at;
    const end = SCALAR_END.exec(text)?.index ?? text.length;
    if (end === at) throw broken(text, at);
    return end;
  }
  let depth = 0;
  let from = at;
  for (;;) {
    NESTING.lastIndex = from;
    const match = NESTING.exec(text);
    if (match === null) throw broken(text, text.length);
    from = match[0] === '"' ? endOfString(text, match.index) : match.index + 1;
    if (match[0] === '[' || match[0] === '{') depth += 1;
    if (match[0] === ']' || match[0] === '}') depth -= 1;
    if (depth === 0) return from;
  }
}

function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
  }
  throw broken(text, text.length);
}

function skipSpace(text: string, at: number): number {
  let next = at;
  while (text[next] === ' ' || text[next] === '\t' || text[next] === '\r' || text[next] === '\n') next += 1;
  return next;
}

function expect(text: string, at: number, character: string): number {
  if (text[at] !== character) throw broken(text, at);
  return at + 1;
}

function broken(text: string, at: number): JsonTextError {
  return new JsonTextError(
    `the server sent broken JSON, near ${JSON.stringify(text.slice(Math.max(0, at - 20), at + 20))}`,
  );
}
