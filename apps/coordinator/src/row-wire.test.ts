import { create, fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { RowsSchema } from '@tutti/contracts/tutti/query/v1/query_pb';
import * as fc from 'fast-check';
import { rowsOfLines } from './row-codec.js';
import { rowsToWire } from './row-wire.js';

const linesOf = (rows: readonly unknown[]) => Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const read = (wire: Uint8Array) => fromBinary(RowsSchema, new BinaryReader(wire).bytes());
const asMessages = (lines: Uint8Array) => create(RowsSchema, { rows: rowsOfLines(lines) });

test('any rows are the same on the wire as those that were messages before', () => {
  const value = fc.jsonValue({ depthSize: 'small', noUnicodeString: false });
  fc.assert(
    fc.property(fc.array(fc.array(value, { maxLength: 5 }), { maxLength: 20 }), (rows) => {
      const lines = linesOf(rows);
      expect(read(rowsToWire(lines))).toEqual(asMessages(lines));
    }),
  );
});

test('flat rows have the very bytes of the general encoder', () => {
  const lines = linesOf([[null, true, false, 1, -2.5e300, '', 'short', 'ä€😀', 'x'.repeat(200)], [], [[1, ['a']]]]);
  const wire = rowsToWire(lines);
  const encoded = toBinary(RowsSchema, asMessages(lines));
  expect(Buffer.from(new BinaryReader(wire).bytes())).toEqual(Buffer.from(encoded));
  expect(wire.length).toBeGreaterThan(encoded.length);
});

test('a row larger than the room that is kept for it leaves nothing behind for the next one', () => {
  const large = linesOf([['é'.repeat(1_500_000), 1], ['last']]);
  expect(read(rowsToWire(large))).toEqual(asMessages(large));
  expect(toJson(RowsSchema, read(rowsToWire(linesOf([[1]]))))).toEqual({ rows: [[1]] });
  expect(read(rowsToWire(new Uint8Array()))).toEqual(create(RowsSchema));
});
