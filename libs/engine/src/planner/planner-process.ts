import { type Session, statementError } from '@tutti/sql';
import type { PlanOutcome } from '../engine.js';
import { type CheckedTable, checkCatalogs } from './catalog-check.js';
import { PlanningInstance } from './planning-instance.js';
import type { FromPlanner, ToPlanner } from './protocol.js';

/**
 * The whole life of a planner process: holds the planning instance and answers its parent. Ends with its parent. Call
 * it from the entry file of the planner program.
 */
export function runPlannerProcess(): void {
  const running = new Map<number, AbortController>();
  let instance: PlanningInstance | undefined;
  const send = (message: FromPlanner): void => {
    process.send?.(message);
  };

  const open = async ({ catalogs, tables, scratchDirectory }: Extract<ToPlanner, { kind: 'open' }>): Promise<void> => {
    const checked = tables ?? (await checkCatalogs(catalogs));
    const mended = (table: CheckedTable) => send({ kind: 'mended', table });
    instance = await PlanningInstance.open({ catalogs, tables: checked, scratchDirectory, mended });
    send({ kind: 'opened', tables: checked });
  };
  const plan = async (id: number, statement: string, session: Session): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    const outcome = await planOn(instance, statement, session, controller.signal);
    running.delete(id);
    send({ kind: 'planned', id, outcome });
  };

  process.on('message', (message: ToPlanner) => {
    if (message.kind === 'open') open(message).catch(endBroken);
    else if (message.kind === 'plan') plan(message.id, message.statement, message.session).catch(endBroken);
    else running.get(message.id)?.abort();
  });
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}

async function planOn(
  instance: PlanningInstance | undefined,
  statement: string,
  session: Session,
  signal: AbortSignal,
): Promise<PlanOutcome> {
  if (instance === undefined) throw new Error('a statement came before the planner was open');
  try {
    return await instance.plan(statement, session, signal);
  } catch (error) {
    // Nobody reads the outcome of a statement that was given up.
    if (signal.aborted)
      return { kind: 'error', error: statementError('EXCEEDED_TIME_LIMIT', 'Planning was canceled.') };
    throw error;
  }
}

function endBroken(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`, () => process.exit(1));
}
