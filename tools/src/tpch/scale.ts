/** How much of each thing there is at a scale factor, and how the work is cut. Counts follow clause 4.2.5 of TPC-H. */
export interface Scale {
  /** The scale factor: 1 means about one gigabyte of text. */
  readonly factor: number;
  readonly suppliers: number;
  readonly parts: number;
  readonly customers: number;
  readonly orders: number;
  readonly clerks: number;
  /** Rows of a row group of the written files. Small scales get small groups, so that every large table has several. */
  readonly rowGroupRows: number;
}

export const SCALE_MIN = 0.01;
export const SCALE_MAX = 10;

/**
 * Reads a scale factor: 0.01 to 10, in steps of 0.01, for which all counts are whole and a part's four suppliers differ.
 * Undefined when `text` is none.
 */
export function parseScale(text: string): Scale | undefined {
  if (!/^\d{1,2}(\.\d{1,2}0*)?$/.test(text)) return undefined;
  const hundredths = Math.round(Number(text) * 100);
  if (hundredths < SCALE_MIN * 100 || hundredths > SCALE_MAX * 100) return undefined;
  return {
    factor: hundredths / 100,
    suppliers: hundredths * 100,
    parts: hundredths * 2_000,
    customers: hundredths * 1_500,
    orders: hundredths * 15_000,
    clerks: hundredths * 10,
    rowGroupRows: hundredths >= 100 ? 122_880 : hundredths >= 10 ? 24_576 : 4_096,
  };
}

/** Bytes that the files of a scale take, rounded up: for asking whether they fit on the disk. */
export const expectedBytes = (scale: Scale): number => Math.ceil(scale.factor * 350e6) + 1_000_000;

/** A run of keys, first and last included, that becomes one file of each of its tables. */
export interface KeyRange {
  readonly first: number;
  readonly last: number;
}

/** The most keys of one range: bounds the memory of one step (an order brings about four lines). */
const ORDERS_PER_RANGE_MAX = 187_500;
const KEYS_PER_RANGE_MAX = 500_000;

/** Cuts keys 1..count into ranges of nearly equal length. */
export function keyRanges(count: number, rangesMin: number, keysPerRangeMax = KEYS_PER_RANGE_MAX): KeyRange[] {
  const ranges = Math.max(rangesMin, Math.ceil(count / keysPerRangeMax));
  const firstOf = (range: number): number => Math.floor((count * range) / ranges) + 1;
  return Array.from({ length: ranges }, (_, range) => ({ first: firstOf(range), last: firstOf(range + 1) - 1 }));
}

/** Orders and their lines come in several files, so that a query on them can be cut into splits. */
export const orderRanges = (scale: Scale): KeyRange[] => keyRanges(scale.orders, 4, ORDERS_PER_RANGE_MAX);
