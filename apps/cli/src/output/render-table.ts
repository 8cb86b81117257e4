import { AlignedTable, type TableColumn } from './aligned-table.js';
import type { Styles } from './styles.js';
import { escapeControls } from './text-width.js';

/** A whole table for people. */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly (string | null)[])[],
  styles: Styles,
): string {
  const table = new AlignedTable(columns, { styles, header: true });
  return rows.map((row) => table.row(row)).join('') + table.end();
}

/** Names and values under each other; a value may have several lines. */
export function renderRecord(entries: readonly (readonly [name: string, value: string])[], styles: Styles): string {
  const shown = entries.filter(([, value]) => value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown
    .map(
      ([name, value]) =>
        `${styles.bold(name.padEnd(width))}  ${value.replaceAll('\n', `\n${' '.repeat(width + 2)}`)}\n`,
    )
    .join('');
}

/** The same for values from elsewhere: nothing in them reaches the terminal but text and line feeds. */
export const renderDataRecord = (entries: readonly (readonly [name: string, value: string])[], styles: Styles) =>
  renderRecord(
    entries.map(([name, value]) => [name, value.split('\n').map(escapeControls).join('\n')]),
    styles,
  );
