import { create } from '@bufbuild/protobuf';
import type { JsonValue } from '@bufbuild/protobuf';
import type { ListValue, Value } from '@bufbuild/protobuf/wkt';
import { ListValueSchema, NullValue, StructSchema, ValueSchema } from '@bufbuild/protobuf/wkt';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The rows of whole JSON lines, one array per line, as messages. */
export function rowsOfLines(lines: Uint8Array): ListValue[] {
  // One parse of all lines is several times cheaper than one per line.
  const text = decoder.decode(lines).trimEnd();
  if (text === '') return [];
  const rows = JSON.parse(`[${text.replaceAll('\n', ',')}]`) as JsonValue[][];
  return rows.map((row) => create(ListValueSchema, { values: row.map(valueOf) }));
}

const NEWLINE = 0x0a;

/**
 * The same lines in pieces of whole lines, of about `pieceBytes` or one line: as messages, rows take some thirty times the memory
 * of their text, and while a client does not read they would have to be kept.
 */
export function* piecesOfLines(lines: Uint8Array, pieceBytes: number): Generator<Uint8Array> {
  for (let start = 0; start < lines.length;) {
    const newline = lines.indexOf(NEWLINE, Math.min(start + pieceBytes, lines.length) - 1);
    const end = newline < 0 ? lines.length : newline + 1;
    yield lines.subarray(start, end);
    start = end;
  }
}

const COMMA = 0x2c;
/** A number takes 11 bytes on the wire, a text its length and some. */
const VALUE_BYTES = 11;

/** About what rows weigh as messages: more than as text, when the values are small. */
export function wireBytesOfLines(lines: Uint8Array): number {
  let commas = 0;
  for (let at = lines.indexOf(COMMA); at >= 0; at = lines.indexOf(COMMA, at + 1)) commas++;
  return lines.length + commas * VALUE_BYTES;
}

function valueOf(value: JsonValue): Value {
  return create(ValueSchema, { kind: kindOf(value) });
}

function kindOf(value: JsonValue): Value['kind'] {
  if (value === null) return { case: 'nullValue', value: NullValue.NULL_VALUE };
  switch (typeof value) {
    case 'string':
      return { case: 'stringValue', value };
    case 'number':
      return { case: 'numberValue', value };
    case 'boolean':
      return { case: 'boolValue', value };
    default:
  }
  if (Array.isArray(value))
    return { case: 'listValue', value: create(ListValueSchema, { values: value.map(valueOf) }) };
  const fields = Object.entries(value).map(([name, field]) => [name, valueOf(field)] as const);
  return { case: 'structValue', value: create(StructSchema, { fields: Object.fromEntries(fields) }) };
}

/** Rows of the coordinator's own answers as JSON lines, in pieces of about `pieceBytes`. */
export function* linesOfRows(rows: readonly (readonly unknown[])[], pieceBytes: number): Generator<Uint8Array> {
  let piece = '';
  for (const row of rows) {
    piece += `${JSON.stringify(row)}\n`;
    if (piece.length < pieceBytes) continue;
    yield encoder.encode(piece);
    piece = '';
  }
  if (piece !== '') yield encoder.encode(piece);
}
