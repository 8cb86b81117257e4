// Paths of groups: names joined with dots, from the root to the group. A name that holds a dot or a quotation mark itself
// (the user alice.smith) is quoted as in SQL: user."alice.smith".

const quoted = (name: string): string => (/[."]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

/** The path of the group with these names from the root on. */
export const groupPath = (names: readonly string[]): string => names.map(quoted).join('.');

/** The path of a group below another one. */
export const childPath = (parent: string | undefined, name: string): string =>
  parent === undefined ? quoted(name) : `${parent}.${quoted(name)}`;

/** The path of the group above; undefined for a root. */
export function parentPath(path: string): string | undefined {
  let end: number;
  if (!path.endsWith('"')) end = path.lastIndexOf('.');
  else {
    // Quotation marks inside are doubled, so walking back over pairs finds the one that opens.
    let start = path.length - 2;
    while (start > 0 && !(path[start] === '"' && path[start - 1] !== '"')) start -= path[start] === '"' ? 2 : 1;
    end = start - 1;
  }
  return end > 0 ? path.slice(0, end) : undefined;
}

/** The group and all groups above it, up to the root. */
export function* lineageOf(path: string): IterableIterator<string> {
  for (let at: string | undefined = path; at !== undefined; at = parentPath(at)) yield at;
}

/** The name of the root group above a group, or of the group itself when it is one. */
export function rootName(path: string): string {
  if (!path.startsWith('"')) {
    const end = path.indexOf('.');
    return end < 0 ? path : path.slice(0, end);
  }
  // Quotation marks inside are doubled.
  let end = 1;
  while (end < path.length && !(path[end] === '"' && path[end + 1] !== '"')) end += path[end] === '"' ? 2 : 1;
  return path.slice(1, end).replaceAll('""', '"');
}
