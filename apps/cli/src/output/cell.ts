import { type ColumnType, hasWideNumbers } from './column-type.js';
import { decodeJsonString, splitJsonArray, splitJsonObject } from './json-text.js';

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The JSON text of one value with BIGINT, DECIMAL and the like as number tokens, with all their digits. */
export function jsonCell(text: string, type: ColumnType): string {
  if (!hasWideNumbers(type)) return text;
  switch (type.kind) {
    case 'number':
      return text.startsWith('"') && JSON_NUMBER.test(text.slice(1, -1)) ? text.slice(1, -1) : text;
    case 'list':
      return text.startsWith('[') ? jsonList(text, type.element) : text;
    case 'struct':
      return text.startsWith('{') ? jsonObject(text, (key) => type.fields.get(key)) : text;
    case 'map':
      if (text.startsWith('{')) return jsonObject(text, () => type.value);
      return text.startsWith('[') ? jsonList(text, entryType(type.key, type.value)) : text;
    case 'other':
      return text;
  }
}

/** What people read for one value: strings bare, lists and structs as JSON, NULL as null. */
export function plainCell(text: string, type: ColumnType): string | null {
  if (text === 'null') return null;
  return text.startsWith('"') ? decodeJsonString(text) : jsonCell(text, type);
}

function jsonList(text: string, element: ColumnType): string {
  return `[${splitJsonArray(text)
    .map((value) => jsonCell(value, element))
    .join(',')}]`;
}

function jsonObject(text: string, typeOf: (key: string) => ColumnType | undefined): string {
  const members = splitJsonObject(text).map(
    ([key, value]) => `${key}:${jsonCell(value, typeOf(decodeJsonString(key)) ?? { kind: 'other' })}`,
  );
  return `{${members.join(',')}}`;
}

/** An entry of a map whose keys are not strings: {"key": ..., "value": ...}. */
const entryType = (key: ColumnType, value: ColumnType): ColumnType => ({
  kind: 'struct',
  fields: new Map([
    ['key', key],
    ['value', value],
  ]),
  hasWide: true,
});
