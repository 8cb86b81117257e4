// Cuts SQL text into statements at the semicolons that end one. Pure.
//   S1. A statement's text is source.slice(offset, offset + text.length): nothing is rewritten, so places in server
//       errors can be mapped back to the source.
//   S2. A semicolon inside a string, a quoted name, a comment or a dollar quote ends nothing.
//   S3. Every character that is not white space, comment or an ending semicolon is in exactly one statement.
// The lexical rules are PostgreSQL's, which DuckDB shares: '' and "" stand for the quote itself, E'...' knows
// backslashes, block comments nest, $tag$ ... $tag$ quotes anything.

/** One statement of a longer text. */
export interface Statement {
  /** The statement without its semicolon and the white space around it; comments in front of it are kept. */
  readonly text: string;
  /** Where the text starts in the source, in UTF-16 units. */
  readonly offset: number;
  /** The line of the source on which the text starts, from 1. */
  readonly line: number;
}

/** The statements of `source`, in order. Parts that hold only white space and comments are left out. */
export function splitStatements(source: string): Statement[] {
  const statements: Statement[] = [];
  let start = 0;
  let line = 1;
  let lineUpTo = 0;
  let isEmpty = true;
  const finish = (end: number) => {
    if (!isEmpty) {
      const piece = source.slice(start, end);
      const offset = start + (piece.length - piece.trimStart().length);
      line += countLineEnds(source, lineUpTo, offset);
      lineUpTo = offset;
      statements.push({ text: piece.trim(), offset, line });
    }
    start = end + 1;
    isEmpty = true;
  };
  let at = 0;
  while (at < source.length) {
    const character = source.charAt(at);
    const commentEnd = endOfComment(source, at);
    if (commentEnd !== undefined) {
      at = commentEnd;
    } else if (character === ';') {
      finish(at);
      at += 1;
    } else {
      if (character.trim() !== '') isEmpty = false;
      at = endOfToken(source, at);
    }
  }
  finish(source.length);
  return statements;
}

/** The end of the comment that starts at `at`; undefined when none does. An open comment reaches to the end. */
function endOfComment(source: string, at: number): number | undefined {
  if (source.startsWith('--', at)) {
    LINE_END.lastIndex = at;
    return LINE_END.exec(source)?.index ?? source.length;
  }
  if (!source.startsWith('/*', at)) return undefined;
  const bracket = /\/\*|\*\//g;
  bracket.lastIndex = at;
  let depth = 0;
  for (let match = bracket.exec(source); match !== null; match = bracket.exec(source)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return bracket.lastIndex;
  }
  return source.length;
}

const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const NUMBER = /[0-9][\p{L}\p{N}_.]*/uy;
const DOLLAR_TAG = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;

/** The end of the string, quoted name, dollar quote, word, number or single character that starts at `at`. */
function endOfToken(source: string, at: number): number {
  const character = source.charAt(at);
  if (character === "'" || character === '"') return endOfQuote(source, at, false);
  if (character === '$') {
    const tag = matchAt(DOLLAR_TAG, source, at);
    if (tag === undefined) return at + 1;
    const close = source.indexOf(tag, at + tag.length);
    return close < 0 ? source.length : close + tag.length;
  }
  if ((character === 'e' || character === 'E') && source.charAt(at + 1) === "'")
    return endOfQuote(source, at + 1, true);
  // A whole word at once: in a$b$ and note'...' neither the dollar nor the last letter has a meaning of its own.
  const word = matchAt(WORD, source, at) ?? matchAt(NUMBER, source, at);
  return at + (word?.length ?? 1);
}

function endOfQuote(source: string, at: number, hasBackslashes: boolean): number {
  const quote = source.charAt(at);
  let next = at + 1;
  while (next < source.length) {
    const character = source.charAt(next);
    if (hasBackslashes && character === '\\') next += 2;
    else if (character !== quote) next += 1;
    else if (source.charAt(next + 1) === quote) next += 2;
    else return next + 1;
  }
  return source.length;
}

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

const LINE_END = /\r\n|\n|\r/g;

function countLineEnds(source: string, from: number, to: number): number {
  let count = 0;
  LINE_END.lastIndex = from;
  for (let end = LINE_END.exec(source); end !== null && end.index < to; end = LINE_END.exec(source)) count += 1;
  return count;
}
