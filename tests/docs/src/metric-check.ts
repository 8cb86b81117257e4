// docs/metrics.md against what the roles register.
import { differences } from './compare.js';
import { codeSpans, section, tableRows } from './markdown.js';

export interface RealMetric {
  readonly type: string;
  /** Undefined when no sample shows them. */
  readonly labels: readonly string[] | undefined;
}

export interface Role {
  /** The section of the page that is about it. */
  readonly title: string;
  /** By the name of a counter's sample, or of the metric. */
  readonly metrics: ReadonlyMap<string, RealMetric>;
}

const EVERY_ROLE = ['Every role: calls', 'Every role: process'];

/** All that the page says wrongly or not at all. */
export function metricProblems(page: string, roles: readonly Role[], platform: string = process.platform): string[] {
  const problems: string[] = [];
  const names = new Set<string>();
  for (const { title, metrics } of roles) {
    const rows = [title, ...EVERY_ROLE].flatMap((heading) => tableRows(section(page, heading) ?? ''));
    const documented = new Map<string, string>();
    const real = new Map<string, string>();
    for (const [cell = '', type = '', labels = '', unit = ''] of rows) {
      const name = codeSpans(cell)[0] ?? cell;
      names.add(name);
      if (cell.endsWith('*') && platform !== 'linux') continue;
      const known = metrics.get(name);
      documented.set(name, facts(type, known?.labels && codeSpans(labels)));
      if (unit !== (unitOf(name) ?? (/^(seconds|bytes)$/.test(unit) ? '' : unit))) {
        problems.push(`${title}: the unit of ${name} is not "${unit}"`);
      }
    }
    for (const [name, { type, labels }] of metrics) real.set(name, facts(type, labels));
    problems.push(...differences(`${title}: metric`, documented, real));
  }
  const mentioned = [...page.matchAll(/\b(?:tutti|rpc|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name);
  const unknown = mentioned.filter((name) => !names.has(name) && !names.has(name.replace(/_(bucket|sum|count)$/, '')));
  return [...problems, ...unknown.map((name) => `${name} is mentioned, but is no metric`)];
}

const facts = (type: string, labels: readonly string[] | undefined): string =>
  labels === undefined ? type : `${type} with the labels [${[...labels].sort().join(', ')}]`;

const unitOf = (name: string): string | undefined => /_(seconds|bytes)(_total)?$/.exec(name)?.[1];
