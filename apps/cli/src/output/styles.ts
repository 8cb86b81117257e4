/** Colours for a terminal, or none. */
export interface Styles {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
}

const paint = (open: number, close: number) => (text: string) => `\x1b[${open}m${text}\x1b[${close}m`;
const asIs = (text: string) => text;

/** The styles of a stream that shows colours. */
export const COLOURS: Styles = {
  bold: paint(1, 22),
  dim: paint(2, 22),
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
};

/** The styles of everything else: a pipe, a file, a terminal whose user set NO_COLOR. */
export const NO_COLOURS: Styles = { bold: asIs, dim: asIs, red: asIs, green: asIs, yellow: asIs };
