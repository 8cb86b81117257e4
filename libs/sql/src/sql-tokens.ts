/** A piece of a statement: comments and white space are left out. */
export interface Token {
  /** `word` is an unquoted name or keyword, `name` a quoted one, `text` a string literal, `end` the end of the text. */
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'symbol' | 'end';
  /** As written, without quotes. */
  readonly value: string;
  /** UTF-16 offset of its first character. */
  readonly start: number;
  /** UTF-16 offset behind its last character. */
  readonly end: number;
}

const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const NUMBER = /\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?/y;
const DOLLAR_QUOTE = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;

/**
 * Cuts a statement into tokens, with the engine's rules for comments (block comments nest) and quotes. Never fails: an
 * unclosed quote or comment goes to the end of the text, and the engine's parser will say what is wrong with it.
 */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const add = (kind: Token['kind'], value: string, end: number) => {
    tokens.push({ kind, value, start: at, end });
    at = end;
  };
  while (at < sql.length) {
    const character = sql.charAt(at);
    const word = matchAt(WORD, sql, at);
    if (/\s/u.test(character)) at++;
    else if (sql.startsWith('--', at)) at = lineEnd(sql, at);
    else if (sql.startsWith('/*', at)) at = blockCommentEnd(sql, at);
    else if (character === "'") add('text', ...quoted(sql, at, false));
    else if (character === '"') add('name', ...quoted(sql, at, false));
    else if (word !== '' && /^[eE]$/.test(word) && sql.charAt(at + 1) === "'")
      add('text', ...quoted(sql, at + 1, true));
    else if (word !== '') add('word', word, at + word.length);
    else if (/\d/.test(character)) {
      const number = matchAt(NUMBER, sql, at);
      add('number', number, at + number.length);
    } else if (character === '$') add('text', ...dollarQuoted(sql, at));
    else add('symbol', character, at + 1);
  }
  tokens.push({ kind: 'end', value: '', start: sql.length, end: sql.length });
  return tokens;
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function lineEnd(sql: string, at: number): number {
  const end = sql.indexOf('\n', at);
  return end === -1 ? sql.length : end + 1;
}

function blockCommentEnd(sql: string, at: number): number {
  let depth = 0;
  for (let i = at; i < sql.length; i++) {
    if (sql.startsWith('/*', i)) {
      depth++;
      i++;
    } else if (sql.startsWith('*/', i)) {
      depth--;
      i++;
      if (depth === 0) return i + 1;
    }
  }
  return sql.length;
}

/** Value and end of the quoted text that starts at `at`; a doubled quote stands for one. */
function quoted(sql: string, at: number, backslashEscapes: boolean): [value: string, end: number] {
  const quote = sql.charAt(at);
  let value = '';
  for (let i = at + 1; i < sql.length; i++) {
    const character = sql.charAt(i);
    if (character === '\\' && backslashEscapes) value += sql.charAt(++i);
    else if (character !== quote) value += character;
    else if (sql.charAt(i + 1) === quote) value += sql.charAt(++i);
    else return [value, i + 1];
  }
  return [value, sql.length];
}

function dollarQuoted(sql: string, at: number): [value: string, end: number] {
  const tag = matchAt(DOLLAR_QUOTE, sql, at);
  if (tag === '') return ['$', at + 1];
  const close = sql.indexOf(tag, at + tag.length);
  if (close === -1) return [sql.slice(at + tag.length), sql.length];
  return [sql.slice(at + tag.length, close), close + tag.length];
}
