// Names of groups with variables, such as "bi-${USER}".

/** Variables that every query has; source and schema may be empty. */
export const BUILT_IN_VARIABLES: readonly string[] = ['USER', 'SOURCE', 'SCHEMA'];

/** Whether the name depends on the query. */
export const hasVariables = (name: string): boolean => name.includes('${');

const VARIABLE = /\$\{([^}]*)\}/g;

/** The variables of a name, in its order, each once. */
export const variablesOf = (name: string): string[] =>
  hasVariables(name) ? [...new Set(Array.from(name.matchAll(VARIABLE), ([, variable = '']) => variable))] : [];

/** What is wrong with the variables of a name; undefined when nothing is. */
export function variableProblem(name: string): string | undefined {
  const wrong = variablesOf(name).find((variable) => !/^[A-Za-z0-9]+$/.test(variable));
  if (wrong !== undefined) return `'\${${wrong}}' is no variable: names of variables are letters and digits`;
  if (name.replace(VARIABLE, '').includes('${')) return "'${' has no '}'";
  return undefined;
}

/** The name with its variables filled in; `unresolved` is the first variable without a value. */
export function expandName(
  name: string,
  values: ReadonlyMap<string, string>,
): { readonly name: string } | { readonly unresolved: string } {
  let unresolved: string | undefined;
  const expanded = name.replace(VARIABLE, (_all, variable: string) => {
    const value = values.get(variable);
    if (value === undefined) unresolved ??= variable;
    return value ?? '';
  });
  return unresolved === undefined ? { name: expanded } : { unresolved };
}
