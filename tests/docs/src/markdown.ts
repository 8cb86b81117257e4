// Reads the few things of Markdown that the checks need.

/** The text of a section with its subsections, without its heading; undefined when there is none of that name. */
export function section(page: string, heading: string): string | undefined {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.replace(/^#+ /, '') === heading && line.startsWith('#'));
  if (start < 0) return undefined;
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 0;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => /^#+ /.test(line) && (/^#+/.exec(line)?.[0].length ?? 0) <= level);
  return rest.slice(0, end < 0 ? undefined : end).join('\n');
}

/** The cells of all tables, row by row, without the head. */
export function tableRows(text: string): string[][] {
  const rows: string[][] = [];
  let isBody = false;
  for (const line of text.split('\n')) {
    if (!line.startsWith('|')) isBody = false;
    else if (/^\|[\s:|-]+$/.test(line)) isBody = true;
    else if (isBody) rows.push(cellsOf(line));
  }
  return rows;
}

const cellsOf = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));

const withoutBlocks = (page: string): string => page.replace(/^```[^]*?^```$/gm, '');

/** What stands between backquotes, outside of code blocks. */
export const codeSpans = (text: string): string[] =>
  [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);

export interface CodeBlock {
  /** What stands behind the opening fence: `json`, `json wrong`. */
  readonly info: string;
  readonly text: string;
}

export const codeBlocks = (page: string): CodeBlock[] =>
  [...page.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info = '', text = '']) => ({ info, text }));

/** The targets of links, outside of code. */
export function links(page: string): string[] {
  const prose = withoutBlocks(page).replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(\s*([^)\s]+)\s*\)/g)].map(([, target = '']) => target);
}

/** The names by which headings can be linked to, as GitHub makes them. */
export const anchors = (page: string): string[] =>
  [...withoutBlocks(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
