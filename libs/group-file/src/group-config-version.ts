import { createHash } from 'node:crypto';

/** What names the text of a file wherever it is: the first 12 hexadecimal digits of its SHA-256. */
export const groupConfigVersion = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 12);
