const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const SIZE_UNITS_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 2 ** 10,
  KB: 2 ** 10,
  MB: 2 ** 20,
  GB: 2 ** 30,
  TB: 2 ** 40,
  PB: 2 ** 50,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  PiB: 2 ** 50,
};

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*$/.exec(text);
  const unit = match?.[2] !== undefined && Object.hasOwn(units, match[2]) ? units[match[2]] : undefined;
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

/** Milliseconds of a duration such as "500ms", "1.5s" or "5m"; undefined when `text` is none. */
export const parseDurationMs = (text: string): number | undefined => parseQuantity(text, DURATION_UNITS_MS);

/** Bytes of a data size such as "512MB" or "4GiB" (units are powers of two); undefined when `text` is none. */
export const parseSizeBytes = (text: string): number | undefined => parseQuantity(text, SIZE_UNITS_BYTES);

/** A duration for people: two decimals and the largest unit that keeps it above one, like Presto's "1.50s". */
export function formatDuration(ms: number): string {
  const units = ['d', 'h', 'm', 's', 'ms'] as const;
  const unit = units.find((name) => ms >= (DURATION_UNITS_MS[name] ?? 1)) ?? 'ms';
  return `${(ms / (DURATION_UNITS_MS[unit] ?? 1)).toFixed(2)}${unit}`;
}

/** A data size for people, like "1.50GB". */
export function formatSize(bytes: number): string {
  const units = ['TB', 'GB', 'MB', 'kB'] as const;
  const unit = units.find((name) => bytes >= (SIZE_UNITS_BYTES[name] ?? 1));
  return unit === undefined ? `${bytes}B` : `${(bytes / (SIZE_UNITS_BYTES[unit] ?? 1)).toFixed(2)}${unit}`;
}
