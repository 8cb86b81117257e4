import { create } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import {
  ResourceGroupService,
  SelectResourceGroupRequestSchema,
  type SelectResourceGroupResponse,
  SelectResourceGroupResponseSchema,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { type LoadedGroups, selectResourceGroup } from '@tutti/group-file';
import { lineageOf } from '@tutti/resource-groups';
import { FailedQuietlyError, RequestFailedError } from '../failures.js';
import { decodeGroup } from '../group-codec.js';
import { fileName, problemLines, readGroupsFile } from '../groups-file.js';
import { type GroupLimits, limitsOfGroup, limitsOfSpec, limitsText } from '../group-limits.js';
import { renderDataRecord } from '../output/render-table.js';
import type { Styles } from '../output/styles.js';
import { escapeControls } from '../output/text-width.js';
import { type Context, type ListFormat, printJson } from './context.js';
import { type Identity, identityFields } from './identity.js';

/** The query that is asked about, and who is asked. */
export interface WhichGroupOptions {
  readonly identity: Identity;
  readonly queryType: string;
  /** A file instead of the cluster; "-" is standard input. */
  readonly file: string | undefined;
  readonly format: ListFormat;
}

/** Which group a query would go to, and why. This is also what `-o json` prints. */
export interface WhichView {
  /** Null when no selector takes the query, or the group cannot be made. */
  readonly group: string | null;
  readonly template: string | null;
  /** Place of the selector that decides, from 1; null when none does. */
  readonly selector: number | null;
  readonly version: string;
  readonly reasons: readonly string[];
  /** From the root down to the group. */
  readonly limits: readonly GroupLimits[];
}

/** Tells which group a query would go to, and why; fails when it would go to none. */
export async function whichGroupCommand(options: WhichGroupOptions, context: Context): Promise<void> {
  const { terminal } = context;
  const request = create(SelectResourceGroupRequestSchema, {
    ...identityFields(options.identity),
    queryType: options.queryType,
  });
  const view =
    options.file === undefined
      ? await whichInCluster(request, context)
      : whichInFile(request, await goodGroups(options.file, context));
  if (options.format === 'json') await printJson(terminal, view);
  else await terminal.write(renderWhich(view, terminal.stdoutStyles));
  if (view.group === null) throw new FailedQuietlyError('no group takes the query');
}

type SelectRequest = ReturnType<typeof create<typeof SelectResourceGroupRequestSchema>>;

async function whichInCluster(request: SelectRequest, context: Context): Promise<WhichView> {
  const answer = await context.connection.call((transport, options) =>
    createClient(ResourceGroupService, transport).selectResourceGroup(request, options),
  );
  const paths = answer.group === '' ? [] : [...lineageOf(answer.group)].reverse();
  return viewOf(answer, await Promise.all(paths.map((path) => limitsInCluster(path, context))));
}

/** The limits of one group. That they cannot be had is no reason to hide which group it is. */
async function limitsInCluster(group: string, { connection }: Context): Promise<GroupLimits> {
  try {
    const page = await connection.call((transport, options) =>
      createClient(ResourceGroupService, transport).listResourceGroups({ group, pageSize: 1 }, options),
    );
    const found = page.groups.find((other) => other.group === group);
    return found === undefined ? { group, notKnown: NOT_IN_USE } : limitsOfGroup(decodeGroup(found));
  } catch (error) {
    if (!(error instanceof RequestFailedError)) throw error;
    const { reason, message } = error.remote;
    return { group, notKnown: reason === 'GROUP_NOT_FOUND' ? NOT_IN_USE : `not known: ${message}` };
  }
}

const NOT_IN_USE = 'not in use now';

function whichInFile(request: SelectRequest, groups: LoadedGroups): WhichView {
  const answer = create(SelectResourceGroupResponseSchema, selectResourceGroup(request, groups));
  const specs = answer.group === '' ? [] : (groups.config.selectors[answer.selector - 1]?.specs ?? []);
  const paths = [...lineageOf(answer.group)].reverse();
  return viewOf(
    answer,
    specs.map((spec, depth) => limitsOfSpec(paths[depth] ?? '', spec)),
  );
}

async function goodGroups(file: string, context: Context): Promise<LoadedGroups> {
  const read = await readGroupsFile(file, context);
  if ('ok' in read) return read.ok;
  for (const line of problemLines(file, read.problems)) context.terminal.writeError(`${escapeControls(line)}\n`);
  throw new FailedQuietlyError(`${fileName(file)} is wrong`);
}

const viewOf = (answer: SelectResourceGroupResponse, limits: readonly GroupLimits[]): WhichView => ({
  group: answer.group || null,
  template: answer.template || null,
  selector: answer.selector || null,
  version: answer.configVersion,
  reasons: answer.reasons,
  limits,
});

/** The answer, an entry per line. */
export function renderWhich(view: WhichView, styles: Styles): string {
  const { group, template, selector } = view;
  const error = selector === null ? 'MISSING_RESOURCE_GROUP_SELECTOR' : 'INVALID_RESOURCE_GROUP';
  const entries: [string, string][] = [
    ['group', group ?? `none: the query would fail with ${error}`],
    ['template', template === group ? '' : (template ?? '')],
    ['selector', selector === null ? 'none' : String(selector)],
    ['because', view.reasons.join('\n')],
    ['limits', view.limits.map(limitsText).join('\n')],
    ['version', view.version],
  ];
  return renderDataRecord(entries, styles);
}
