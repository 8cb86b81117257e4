/** A number of things for people: "1 row", "12,345 rows". */
export const formatCount = (count: number, thing: string): string =>
  `${groupDigits(count)} ${thing}${count === 1 ? '' : 's'}`;

/** A whole number with commas between thousands, whatever the locale of the machine. */
export const groupDigits = (count: number): string => String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** An elapsed time for people: "0.41 s", "3 m 05 s", "2 h 10 m". */
export function formatElapsed(ms: number): string {
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} m`;
}

/** A time that is only guessed, without more digits than it deserves: "about 40 s", "about 2 h 10 m". */
export function formatEstimate(ms: number): string {
  if (ms < 1_000) return 'less than 1 s';
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `about ${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `about ${minutes} m` : `about ${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}
