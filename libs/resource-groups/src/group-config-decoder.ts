// Reads the resource-groups file, which has Presto's format: https://prestodb.io/docs/current/admin/resource-groups.html
// Collects every problem, each with its line, column and path, instead of the first one. Messages that Presto has too
// are word for word Presto's, with help behind them.
import { FieldReader, optional } from './field-reader.js';
import type { GroupConfig } from './group-config.js';
import { GroupDecoder } from './group-decoder.js';
import { GroupDoubts } from './group-doubts.js';
import { type JsonField, JsonSource } from './json-source.js';
import { LimitDecoder } from './limit-decoder.js';
import { lineagesOf, SelectorDecoder } from './selector-decoder.js';

/** Either the configuration, with what will hardly do what was meant, or everything that is wrong with the text. */
export type ParsedGroupConfig =
  { readonly ok: GroupConfig; readonly warnings: readonly string[] } | { readonly problems: readonly string[] };

/** Largest file of resource groups. */
export const GROUP_FILE_BYTES_MAX = 10 * 2 ** 20;

const FILE_PROPERTIES = ['rootGroups', 'selectors', 'cpuQuotaPeriod'];

/** Reads the text of a resource-groups file. Never throws; problems and warnings are sentences, "line L:C: path: what". */
export function parseGroupConfig(text: string): ParsedGroupConfig {
  if (text.length > GROUP_FILE_BYTES_MAX)
    return { problems: [`the file is larger than ${GROUP_FILE_BYTES_MAX} bytes`] };
  // Editors of Windows begin a file with a mark that is no part of it.
  const source = new JsonSource(text.startsWith('\ufeff') ? text.slice(1) : text);
  const root = source.read();
  const config = root && decode(source, root);
  if (config === undefined || source.hasProblems) return { problems: source.problems() };
  return { ok: config, warnings: source.warnings() };
}

function decode(source: JsonSource, root: JsonField): GroupConfig | undefined {
  const read = new FieldReader(source);
  const file = read.object(root, 'rootGroups and selectors', FILE_PROPERTIES);
  if (file === undefined) return undefined;
  const cpuQuotaPeriodMs = optional(file.get('cpuQuotaPeriod'), (period) => {
    const periodMs = read.durationMs(period);
    return periodMs === 0 ? source.problem(period, 'must be longer than 0') : periodMs;
  });
  const hasPeriod = file.get('cpuQuotaPeriod').node !== undefined;
  // A wrong period is one problem, not one more for each group that needs it.
  const limits = new LimitDecoder(source, read, cpuQuotaPeriodMs ?? (hasPeriod ? 1_000 : undefined));
  const groups = new GroupDecoder(source, read, limits);
  const rootGroups = groups.roots(file.get('rootGroups'));
  const known = { lineages: lineagesOf(rootGroups), areAll: !groups.hasUnread };
  const selectors = new SelectorDecoder(source, read, known).selectors(file.get('selectors'));
  if (!source.hasProblems) {
    const places = { groups: groups.places, selectors: file.get('selectors').items ?? [] };
    new GroupDoubts(source, places).tell(rootGroups, selectors);
  }
  return { rootGroups, selectors };
}
