/** A name in double quotes. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A string literal. A zero byte would end the statement early, and no path or option has one. */
export function literal(text: string): string {
  if (text.includes('\0')) throw new Error('a text for SQL contains a zero byte');
  return `'${text.replaceAll("'", "''")}'`;
}

export const literals = (texts: readonly string[]): string => `[${texts.map(literal).join(', ')}]`;
