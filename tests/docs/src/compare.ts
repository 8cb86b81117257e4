/** What a page tells of things that a program has, by name, and how they differ. */
export function differences(
  what: string,
  documented: ReadonlyMap<string, string>,
  real: ReadonlyMap<string, string>,
): string[] {
  const problems: string[] = [];
  for (const [name, facts] of real) {
    const told = documented.get(name);
    if (told === undefined) problems.push(`${what} ${name} is not documented`);
    else if (told !== facts) problems.push(`${what} ${name} is documented as ${told}, but is ${facts}`);
  }
  for (const name of documented.keys()) if (!real.has(name)) problems.push(`${what} ${name} does not exist`);
  return problems;
}
