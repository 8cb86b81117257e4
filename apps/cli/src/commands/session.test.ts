import { QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { FakeCoordinator, columns, state } from '../testing/fake-coordinator.js';
import { FakeTerminal } from '../testing/fake-terminal.js';
import { runInMemory } from '../testing/run-in-memory.js';
import { SessionSettings } from './session-settings.js';

/** A coordinator that knows two settings. */
const coordinator = () =>
  new FakeCoordinator({
    'SET SESSION distribution = SINGLE': async function* () {
      yield state(QueryState.RUNNING, { setSession: { distribution: 'single' } });
      yield columns();
      yield state(QueryState.FINISHED, { setSession: { distribution: 'single' } });
    },
    'RESET SESSION adaptive': async function* () {
      yield columns();
      yield state(QueryState.FINISHED, { resetSession: ['adaptive'] });
    },
    'SET SESSION adaptive = maybe': async function* () {
      yield state(QueryState.FAILED, { setSession: { adaptive: 'maybe' } });
    },
  });

const propertiesOf = ({ requests }: FakeCoordinator) => requests.map(({ session }) => session?.properties);

test('settings of the command line go with every statement', async () => {
  const server = coordinator();
  const flags = ['--session', 'Distribution=forced', '--session', 'tasks_per_worker=4'];
  await runInMemory(['sql', ...flags, 'SELECT 1; SELECT none'], { routes: server.routes });
  const properties = { distribution: 'forced', tasks_per_worker: '4' };
  expect(propertiesOf(server)).toEqual([properties, properties]);
});

test('SET SESSION and RESET SESSION hold for the statements after them, and print nothing among results', async () => {
  const server = coordinator();
  const input = 'SELECT none; SET SESSION distribution = SINGLE; RESET SESSION adaptive; SELECT 1';
  const terminal = new FakeTerminal({ input });
  const { stdout } = await runInMemory(['sql', '--session', 'adaptive=false'], { routes: server.routes, terminal });
  expect(propertiesOf(server)).toEqual([
    { adaptive: 'false' },
    { adaptive: 'false' },
    { adaptive: 'false', distribution: 'single' },
    { distribution: 'single' },
  ]);
  expect(stdout).toBe('n\nn\n1\n');
});

test('what was set is told where a summary would stand', async () => {
  const terminal = new FakeTerminal({ stdoutIsTerminal: true, stderrIsTerminal: true });
  const { stderr } = await runInMemory(['sql', 'SET SESSION distribution = SINGLE'], {
    routes: coordinator().routes,
    terminal,
  });
  expect(stderr).toMatch(/\(distribution = single\)\n$/);
});

test('a statement that fails changes nothing', async () => {
  const server = coordinator();
  const terminal = new FakeTerminal({ input: 'SET SESSION adaptive = maybe; SELECT 1' });
  await runInMemory(['sql', '--ignore-errors'], { routes: server.routes, terminal });
  expect(propertiesOf(server)).toEqual([{}, {}]);
});

test.each(['distribution', '=single'])('--session %s is a wrong command line', async (setting) => {
  const { exitCode, stderr } = await runInMemory(['sql', '--session', setting, 'SELECT 1']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('Write name=value, for example distribution=single.');
});

test('what is set and reset at once is set', () => {
  const session = new SessionSettings({ a: '1', b: '2' });
  expect(session.apply({ setSession: { a: '3' }, resetSession: ['a', 'b'] })).toBe('a = 3, a is reset, b is reset');
  expect(session.current).toEqual({ a: '3' });
});
