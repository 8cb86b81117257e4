/** What an offset counts. Parsers count characters, binders count bytes of UTF-8, our own scanner UTF-16 units. */
export type OffsetUnit = 'characters' | 'bytes' | 'utf16';

/** A place in a text: line and column in characters, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Turns an offset from 0 into a line and a column. A line ends with \n, \r\n or \r. Undefined when the offset is not
 * in the text, which is how engines say that they do not know the place; just behind the end is in the text.
 */
export function positionAt(text: string, offset: number, unit: OffsetUnit): Position | undefined {
  let passed = 0;
  let line = 1;
  let column = 1;
  let before = '';
  for (const character of text) {
    if (passed >= offset) break;
    passed += width(character, unit);
    if (character === '\n' || character === '\r') {
      // The second half of \r\n ends no line of its own.
      if (!(character === '\n' && before === '\r')) line++;
      column = 1;
    } else {
      column++;
    }
    before = character;
  }
  return offset >= 0 && passed >= offset ? { line, column } : undefined;
}

function width(character: string, unit: OffsetUnit): number {
  if (unit === 'characters') return 1;
  if (unit === 'utf16') return character.length;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
