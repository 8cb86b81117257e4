import { randomInt, seededRandom } from '@tutti/base';
import fc from 'fast-check';
import { type JsonNode, readJson } from './json-text.js';

/** The value that JSON.parse would make; of a name that stands twice the last value counts there. */
function plain(node: JsonNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'array') return node.items.map(plain);
  const object: Record<string, unknown> = {};
  for (const { name, value } of node.properties) {
    Object.defineProperty(object, name, { value: plain(value), enumerable: true, configurable: true, writable: true });
  }
  return object;
}

function expectSameAsJsonParse(text: string): void {
  const read = readJson(text);
  let expected: unknown;
  try {
    expected = JSON.parse(text);
  } catch {
    if ('ok' in read) throw new Error(`accepted what is no JSON: ${text}`);
    expect(read.fault.offset).toBeLessThanOrEqual(text.length);
    return;
  }
  if ('fault' in read) throw new Error(`refused JSON: ${read.fault.text} at ${read.fault.offset} of ${text}`);
  expect(plain(read.ok)).toEqual(expected);
}

describe('readJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(fc.property(fc.json(), expectSameAsJsonParse));
    fc.assert(fc.property(fc.jsonValue(), (value) => expectSameAsJsonParse(JSON.stringify(value, null, 2))));
  });

  it('reads nothing that JSON.parse does not, whatever is changed in a text', () => {
    const text = '{"a": [1, -0.5e+3, "b\\u00e4\\n\\"", true, null, {}], "__proto__": {"c": [[]]}, "": "\u00e9"}';
    const pieces = ['{', '}', '[', ']', '"', ',', ':', '\\', '\u0000', '\u00a0', '0', '-', '.', 'e', 'null', ' ', '/*'];
    for (let seed = 1; seed <= 2_000; seed++) {
      const random = seededRandom(seed);
      const at = randomInt(random, text.length);
      const cut = randomInt(random, 4);
      const piece = pieces[randomInt(random, pieces.length)] ?? '';
      expectSameAsJsonParse(text.slice(0, at) + piece + text.slice(at + cut));
    }
  });

  it('knows where values stand', () => {
    const text = ' {"a": [1, "two"]}';
    const read = readJson(text);
    if (!('ok' in read) || read.ok.kind !== 'object') throw new Error('no object');
    const [property] = read.ok.properties;
    const items = property?.value.kind === 'array' ? property.value.items : [];
    expect([read.ok, property?.value, ...items].map((node) => text.slice(node?.offset, node?.end))).toEqual([
      '{"a": [1, "two"]}',
      '[1, "two"]',
      '1',
      '"two"',
    ]);
    expect(property?.offset).toBe(text.indexOf('"a"'));
  });

  it.each([
    ['', 0, 'a value is expected here; text stands in "quotation marks"'],
    ['{"a" 1}', 5, "a ':' is expected here"],
    ['{"a": 1 "b": 2}', 8, "a ',' or a '}' is expected here"],
    ['{a: 1}', 1, 'the name of a property is expected here, in "quotation marks"'],
    ['[1,]', 3, "no ']' may follow a ','"],
    ['[1] 2', 4, 'nothing may follow here'],
    ['// groups', 0, 'comments are not allowed'],
    ['[True]', 1, 'a value is expected here; text stands in "quotation marks"'],
    ['["a]', 1, 'the text that begins here has no end: a quotation mark is missing'],
    ['["\\d"]', 2, 'there is no such escape; a backslash is written \\\\'],
    ['["a\nb"]', 3, 'this character is not allowed in a text; write it with a backslash'],
    ['['.repeat(100_000), 200, 'brackets are nested more than 200 deep'],
  ])('says why %j is no JSON, and where', (text, offset, fault) => {
    expect(readJson(text)).toEqual({ fault: { offset, text: fault } });
  });
});
