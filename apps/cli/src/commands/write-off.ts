import { createClient } from '@connectrpc/connect';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { FailedQuietlyError } from '../failures.js';
import { escapeControls } from '../output/text-width.js';
import { type Context, type ListFormat, printJson } from './context.js';

/** Which coordinator is gone for good. */
export interface WriteOffOptions {
  readonly coordinator: string;
  readonly format: ListFormat;
}

/** What was written off. This is also what `-o json` prints. */
interface WriteOffView {
  readonly coordinator: string;
  readonly slots: number;
  readonly resourceManagers: readonly { readonly resourceManager: string; readonly slots: number }[];
  readonly unanswered: readonly string[];
}

/**
 * Vouches that nothing runs any more for a coordinator that is gone, so that its slots are dealt again. Fails when a resource
 * manager did not answer: it may own more of them.
 */
export async function writeOffCommand({ coordinator, format }: WriteOffOptions, context: Context): Promise<void> {
  const { terminal, connection } = context;
  const answer = await connection.call((transport, options) =>
    createClient(ResourceGroupService, transport).writeOffCoordinator({ coordinatorId: coordinator }, options),
  );
  const view: WriteOffView = {
    ...{ coordinator, slots: answer.slots, unanswered: answer.unanswered },
    resourceManagers: answer.resourceManagers.map(({ resourceManagerId, slots }) => ({
      ...{ resourceManager: resourceManagerId, slots },
    })),
  };
  if (format === 'json') await printJson(terminal, view);
  else await terminal.write(`${escapeControls(textOf(view))}\n`);
  if (view.unanswered.length === 0) return;
  const silent = view.unanswered.join(', ');
  terminal.writeError(
    `${terminal.stderrStyles.yellow('warning:')} ${escapeControls(silent)} did not answer and may own more: try again\n`,
  );
  throw new FailedQuietlyError();
}

function textOf({ coordinator, slots, resourceManagers }: WriteOffView): string {
  if (slots === 0) return `no slots were booked for ${coordinator}: none was freed`;
  const where = resourceManagers.filter((one) => one.slots > 0).map((one) => `${one.resourceManager} ${one.slots}`);
  return `${slots} ${slots === 1 ? 'slot' : 'slots'} of ${coordinator} freed: ${where.join(', ')}`;
}
