// Classes of characters, \p{...}, as Java names them and as RE2 does.
import { RE2JS } from 're2js';

/** POSIX classes: in Java they hold ASCII only, as [:alpha:] does in RE2. */
const POSIX: ReadonlySet<string> = new Set([
  ...['Lower', 'Upper', 'Alpha', 'Digit', 'Alnum', 'Punct', 'Graph', 'Print'],
  ...['Blank', 'Cntrl', 'XDigit', 'Space', 'ASCII'],
]);

/** General categories of Unicode that both know by the same name. */
const CATEGORY = /^(?:L[ultmo]?|M[nec]?|N[dlo]?|Z[slp]?|C[cfos]?|P[dsecifo]?|S[mcko]?)$/;

/** The class in RE2, alone or inside a set; `isNot` takes everything else. */
export function unicodeClass(
  name: string,
  isNot: boolean,
  isInSet: boolean,
): { readonly ok: string } | { readonly problem: string } {
  if (POSIX.has(name)) {
    const inSet = `[:${isNot ? '^' : ''}${name.toLowerCase()}:]`;
    return { ok: isInSet ? inSet : `[${inSet}]` };
  }
  const known = categoryOf(name) ?? scriptOf(name);
  if (known !== undefined) return { ok: `\\${isNot ? 'P' : 'p'}{${known}}` };
  if (isKnownToRe2(name)) return { problem: `is not supported: Java does not know it; write \\p{Is${name}}` };
  return { problem: 'is not supported; use a category such as \\p{Lu}, a script such as \\p{IsLatin}, or \\p{Alpha}' };
}

/** \p{Lu}, \p{IsLu}, \p{gc=Lu}, \p{general_category=Lu} */
function categoryOf(name: string): string | undefined {
  const category = withoutPrefix(name, /^(?:gc|general_category)=/i) ?? name;
  return CATEGORY.test(category) ? category : undefined;
}

/** \p{IsLatin}, \p{sc=Latin}, \p{script=Latin}, the script in any case */
function scriptOf(name: string): string | undefined {
  const script = withoutPrefix(name, /^(?:sc|script)=/i);
  if (script === undefined) return undefined;
  const words = script.split('_').map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase());
  const known = words.join('_');
  return isKnownToRe2(known) && known !== 'Any' ? known : undefined;
}

/** What stands behind "Is", or behind the name of a property. */
function withoutPrefix(name: string, property: RegExp): string | undefined {
  if (name.startsWith('Is')) return name.slice(2);
  return property.test(name) ? name.replace(property, '') : undefined;
}

function isKnownToRe2(name: string): boolean {
  if (!/^[A-Z][A-Za-z_]{2,}$/.test(name)) return false;
  try {
    RE2JS.compile(`\\p{${name}}`);
    return true;
  } catch {
    // That is how it says no.
    return false;
  }
}
