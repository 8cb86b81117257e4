// How many cells of a terminal a text takes, and how to make it take a given number. Pure.

const PLAIN = /^[\x20-\x7e]*$/;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
const EMOJI = /\p{Emoji_Presentation}|\p{Emoji}\uFE0F/u;
// The blocks that Unicode's EastAsianWidth.txt marks Wide or Fullwidth, merged where only unassigned places lie between.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]/u;

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Terminal cells that `text` takes: 2 for East Asian wide characters and emoji, 0 for combining marks. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** `text` cut so that it takes at most `width` cells; a cut text ends in an ellipsis. */
export function clipText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let clipped = '';
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    const next = graphemeWidth(segment);
    if (used + next > width - 1) break;
    clipped += segment;
    used += next;
  }
  return width > 0 ? `${clipped}…` : '';
}

/** `text` with spaces up to `width` cells, in front of it when `right`. A longer text is left as it is. */
export function padText(text: string, width: number, right: boolean): string {
  const spaces = ' '.repeat(Math.max(0, width - textWidth(text)));
  return right ? spaces + text : text + spaces;
}

function graphemeWidth(grapheme: string): number {
  if (ZERO_WIDTH.test(grapheme)) return 0;
  return WIDE.test(grapheme) || EMOJI.test(grapheme) ? 2 : 1;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
// Control characters, line separators and what reverses the direction of text: none may reach a terminal from data.

const UNSAFE =
  /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** `text` in one line and without anything that could move a terminal's cursor: such characters become escapes. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return (
      SHORT_ESCAPES[character] ?? (code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`)
    );
  });
}
