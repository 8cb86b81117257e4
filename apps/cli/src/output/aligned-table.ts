import type { Styles } from './styles.js';
import { escapeControls, padText, textWidth } from './text-width.js';

/** A column of a table for people. */
export interface TableColumn {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
}

const SAMPLE_ROWS_MAX = 500;
const SAMPLE_CHARACTERS_MAX = 1_000_000;

/**
 * Lays rows out under each other as they come, in bounded memory. Pure: the methods return the text to print.
 *   T1. The column widths are those of the sample: the first 500 rows, or fewer when they hold 1,000,000 characters.
 *       Nothing is printed before the sample is complete or the rows have ended.
 *   T2. A later, longer value is printed whole and pushes the rest of its line to the right.
 */
export class AlignedTable {
  private sample: string[][] | undefined = [];
  private sampleCharacters = 0;
  private readonly widths: number[];
  private readonly titles: string[];

  constructor(
    private readonly columns: readonly TableColumn[],
    private readonly options: { readonly styles: Styles; readonly header: boolean },
  ) {
    this.titles = columns.map((column) => escapeControls(column.title));
    this.widths = this.titles.map((title) => (options.header ? textWidth(title) : 0));
  }

  /** Takes a row; null is shown as NULL. Returns what can be printed now, often nothing. */
  row(cells: readonly (string | null)[]): string {
    const shown = cells.map((cell) => (cell === null ? NULL_MARK : escapeControls(cell)));
    if (this.sample === undefined) return this.line(shown);
    this.sample.push(shown);
    for (const [index, cell] of shown.entries()) {
      this.widths[index] = Math.max(this.widths[index] ?? 0, textWidth(cell === NULL_MARK ? 'NULL' : cell));
      this.sampleCharacters += cell.length;
    }
    const isComplete = this.sample.length >= SAMPLE_ROWS_MAX || this.sampleCharacters >= SAMPLE_CHARACTERS_MAX;
    return isComplete ? this.flush() : '';
  }

  /** Returns what is left to print: the rows have ended. */
  end(): string {
    return this.flush();
  }

  private flush(): string {
    if (this.sample === undefined) return '';
    const lines = this.sample.map((cells) => this.line(cells));
    this.sample = undefined;
    return (this.options.header ? this.head() : '') + lines.join('');
  }

  private head(): string {
    const titles = this.titles.map((title, index) => this.pad(title, index, this.options.styles.bold));
    const rules = this.widths.map((width) => '-'.repeat(width));
    return `${` ${titles.join(' | ')}`.trimEnd()}\n-${rules.join('-+-')}-\n`;
  }

  private line(cells: readonly string[]): string {
    const padded = cells.map((cell, index) =>
      cell === NULL_MARK ? this.pad('NULL', index, this.options.styles.dim) : this.pad(cell, index),
    );
    return `${` ${padded.join(' | ')}`.trimEnd()}\n`;
  }

  private pad(text: string, index: number, style: (text: string) => string = (plain) => plain): string {
    const padded = padText(text, this.widths[index] ?? 0, this.columns[index]?.right === true);
    return padded.replace(text, () => style(text));
  }
}

// No escaped text can hold a line feed, so that the string 'NULL' and the missing value stay apart.
const NULL_MARK = '\n';
