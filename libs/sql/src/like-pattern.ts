/** A test for SQL's LIKE: % stands for any text, _ for one character, a backslash takes the next one literally. */
export function likePattern(pattern: string): (text: string) => boolean {
  const source = [...pattern.matchAll(/\\(.)|(%)|(_)|([^])/gu)]
    .map(([, escaped, any, one, plain]) => {
      if (any !== undefined) return '.*';
      if (one !== undefined) return '.';
      return (escaped ?? plain ?? '').replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    })
    // Neighbouring % mean the same as one, and would make the pattern slow.
    .join('')
    .replace(/(?:\.\*)+/g, '.*');
  const regex = new RegExp(`^${source}$`, 'isu');
  return (text) => regex.test(text);
}
