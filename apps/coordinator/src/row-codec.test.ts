import { toBinary, toJson } from '@bufbuild/protobuf';
import { ListValueSchema } from '@bufbuild/protobuf/wkt';
import * as fc from 'fast-check';
import { linesOfRows, piecesOfLines, rowsOfLines, wireBytesOfLines } from './row-codec.js';

const encode = (text: string) => new TextEncoder().encode(text);

test('every kind of value becomes the same JSON value', () => {
  const line = '[null,true,1,-2.5,"9223372036854775807","a\\nb, c",[1,[2]],{"a":{"b":[null]},"__proto__":1}]';
  const [row] = rowsOfLines(encode(`${line}\n`));
  expect(JSON.stringify(row && toJson(ListValueSchema, row))).toBe(line);
});

test('no lines are no rows', () => {
  expect(rowsOfLines(new Uint8Array())).toEqual([]);
});

test('any rows survive the way through lines, in pieces of any size', () => {
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.string(), { maxLength: 3 }),
  );
  const rows = fc.array(fc.array(value, { minLength: 1, maxLength: 4 }), { maxLength: 20 });
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 200 }), (table, pieceBytes) => {
      const pieces = [...linesOfRows(table, pieceBytes)];
      const back = pieces.flatMap(rowsOfLines).map((row) => toJson(ListValueSchema, row));
      expect(back).toEqual(table);
    }),
  );
});

test('the weight of lines is no less than what goes over the wire', () => {
  const small = encode('[1,2,3,4,5,6,7,8]\n'.repeat(1_000));
  const onWire = rowsOfLines(small).reduce((sum, row) => sum + toBinary(ListValueSchema, row).length + 3, 0);
  expect(wireBytesOfLines(small)).toBeGreaterThanOrEqual(onWire);
});

test('pieces of lines are whole lines of bounded size, and nothing is lost', () => {
  const lines = fc.array(fc.string({ maxLength: 50 }).map((text) => `${text.replaceAll('\n', '')}\n`));
  fc.assert(
    fc.property(lines, fc.integer({ min: 1, max: 200 }), (made, pieceBytes) => {
      const all = Buffer.from(made.join(''));
      const longest = Math.max(0, ...made.map((line) => Buffer.byteLength(line)));
      const pieces = [...piecesOfLines(all, pieceBytes)];
      expect(Buffer.concat(pieces)).toEqual(all);
      for (const piece of pieces) {
        expect(piece.at(-1)).toBe(10);
        expect(piece.length).toBeLessThan(pieceBytes + longest);
      }
    }),
  );
});
