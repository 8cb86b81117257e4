import { JsonNumber, parseLossless } from './lossless-json.js';

const number = (text: string) => new JsonNumber(text);

describe('numbers keep their text', () => {
  it.each(['0', '-0.0', '18446744073709551615', '-170141183460469231731687303715884105728', '1e300', '1.50', 'NaN'])(
    '%s',
    (text) => expect(parseLossless(text)).toEqual(number(text)),
  );

  it.each(['nan', '-nan', 'inf', '-inf', 'Infinity', '-Infinity'])('also %s, which is no JSON', (text) =>
    expect(parseLossless(`{"value": ${text}, "next": [${text}]}`)).toEqual({
      value: number(text),
      next: [number(text)],
    }),
  );
});

it('everything else is as JSON has it', () => {
  const value = { a: [true, false, null, 'x"\\\n\u0001é😀', {}, []], '': { __proto__x: 'y' }, 'k"': '{"b": 1}' };
  expect(parseLossless(JSON.stringify(value))).toEqual(value);
  expect(parseLossless(` ${JSON.stringify(value, undefined, 2)}\n`)).toEqual(value);
});

it('a field called __proto__ is a field', () => {
  expect(Object.entries(parseLossless('{"__proto__": "x"}') as object)).toEqual([['__proto__', 'x']]);
});

it.each(['', '{', '[1,]', '{"a" 1}', '{"a": 1,}', '"open', 'nul', '1 2', '[1}', "{'a': 1}"])(
  '%s is refused',
  (text) => {
    expect(() => parseLossless(text)).toThrow(SyntaxError);
  },
);

it('what is nested too deeply is refused, and does not exhaust the stack', () => {
  expect(() => parseLossless('['.repeat(100_000))).toThrow(/more than 800 levels/);
  expect(() => parseLossless('['.repeat(700) + ']'.repeat(700))).not.toThrow();
});
