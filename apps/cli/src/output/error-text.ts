// What is printed for an error of a statement: its name, its message, and the place in the text. Pure.
import type { Styles } from './styles.js';
import { clipText, escapeControls, textWidth } from './text-width.js';

/** Where a statement came from, so that places in it can be shown as places in the file. */
export interface StatementSource {
  readonly text: string;
  /** Shown before the line number, for example "report.sql"; undefined for a statement from the command line. */
  readonly fileName: string | undefined;
  /** Line of the file on which the statement starts, from 1. */
  readonly line: number;
  /** Characters of that line that stand before the statement. */
  readonly indent: string;
}

/** An error that a server sent. */
export interface ErrorReport {
  readonly name: string;
  readonly message: string;
  /** Line of the statement, from 1. */
  readonly line?: number | undefined;
  /** In characters, from 1. */
  readonly column?: number | undefined;
  readonly queryId?: string | undefined;
  readonly hint?: string | undefined;
  readonly source?: StatementSource | undefined;
}

/** The text for standard error; ends in a line feed. */
export function renderError(report: ErrorReport, styles: Styles, width: number): string {
  const message = report.message.split('\n').map(escapeControls).join('\n  ');
  const lines = [`${styles.red('error:')} ${styles.bold(report.name)}: ${message}`];
  if (report.source !== undefined && report.line !== undefined && report.line > 0)
    lines.push(...renderPlace(report.source, report.line, report.column ?? 0, styles, width));
  if (report.hint !== undefined) lines.push(`  ${report.hint}`);
  if (report.queryId) lines.push(styles.dim(`  query ${escapeControls(report.queryId)}`));
  return `${lines.join('\n')}\n`;
}

/** Cells of a long line that stay free for the text behind the place. */
const CONTEXT_AFTER = 20;

function renderPlace(source: StatementSource, line: number, column: number, styles: Styles, width: number): string[] {
  const text = source.text.split(LINE_END)[line - 1]?.trimEnd();
  if (text === undefined) return [];
  const shown = line === 1 ? source.indent + text : text;
  const at = charactersToUnits(text, Math.max(0, column - 1)) + (line === 1 ? source.indent.length : 0);
  const lineNumber = source.line + line - 1;
  const label = source.fileName === undefined ? `line ${lineNumber}: ` : `${source.fileName}:${lineNumber}: `;
  // A long line is cut on both sides of the place, so that the caret stands on the same line of the terminal.
  const contextBefore = Math.max(width - 1 - 2 - textWidth(label) - CONTEXT_AFTER, CONTEXT_AFTER);
  const cutAt = at > contextBefore ? at - contextBefore + 1 : 0;
  const before = (cutAt > 0 ? '…' : '') + flatten(shown.slice(cutAt, at));
  const room = Math.max(width - 1 - 2 - textWidth(label) - textWidth(before), CONTEXT_AFTER);
  const context = `  ${styles.dim(label)}${before}${clipText(flatten(shown.slice(at)), room)}`;
  if (column <= 0) return [context];
  return [context, `${' '.repeat(2 + textWidth(label) + textWidth(before))}${styles.red('^')}`];
}

const LINE_END = /\r\n|\n|\r/;

/** The place behind the first `count` characters of `text`, in the units that strings are indexed by. */
const charactersToUnits = (text: string, count: number): number => [...text].slice(0, count).join('').length;

/** Tabs as one space each, so that the caret lines up on every terminal; other control characters escaped. */
const flatten = (text: string): string => escapeControls(text.replaceAll('\t', ' '));
