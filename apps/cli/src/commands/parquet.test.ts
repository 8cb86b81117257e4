import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@tutti/base/testing';
import { QueryState, ResultFormat } from '@tutti/contracts/tutti/query/v1/query_pb';
import { FakeCoordinator, columns, state } from '../testing/fake-coordinator.js';
import { FakeTerminal } from '../testing/fake-terminal.js';
import { runInMemory } from '../testing/run-in-memory.js';

/** Bytes that no text has. */
const BYTES = Uint8Array.of(0x50, 0x41, 0x52, 0x31, 0xff, 0x00, 0xfe);
const binary = Buffer.from(BYTES).toString('latin1');
const part = (from: number, to: number) => ({ event: { case: 'parquet', value: BYTES.subarray(from, to) } }) as const;

const coordinator = () =>
  new FakeCoordinator({
    'SELECT big': async function* () {
      yield state(QueryState.RUNNING);
      yield columns('n BIGINT');
      yield part(0, 3);
      yield part(3, 7);
      yield state(QueryState.FINISHED, { stats: { rows: 12_345n } });
    },
    'SELECT lost': async function* () {
      yield state(QueryState.RUNNING);
      yield columns('n BIGINT');
      yield part(0, 3);
    },
    'SET SESSION a = 1': async function* () {
      yield columns();
      yield state(QueryState.FINISHED, { setSession: { a: '1' } });
    },
  });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tutti-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([[['-o', 'parquet']], [['--output-format', 'PARQUET']]])(
  '%j passes the bytes of the server on',
  async (flags) => {
    const server = coordinator();
    const ended = await runInMemory(['sql', ...flags, 'SELECT big'], { routes: server.routes });
    expect(ended).toEqual({ exitCode: 0, stdout: binary, stderr: '' });
    expect(server.requests[0]?.resultFormat).toBe(ResultFormat.PARQUET);
  },
);

test('no terminal is filled with bytes', async () => {
  const server = coordinator();
  const terminal = new FakeTerminal({ stdoutIsTerminal: true });
  const ended = await runInMemory(['sql', '-o', 'parquet', 'SELECT big'], { routes: server.routes, terminal });
  expect(ended).toMatchObject({ exitCode: 2, stdout: '' });
  expect(ended.stderr).toContain('name a file with --output-file FILE');
  expect(server.requests).toEqual([]);
});

test('a file gets the result, the rows counted by the server, and its name when it is whole', async () => {
  const path = join(folder, 'big.parquet');
  const terminal = new FakeTerminal({ stdoutIsTerminal: true, stderrIsTerminal: true });
  const argv = ['sql', '-o', 'parquet', '--output-file', path, 'SET SESSION a = 1; SELECT big'];
  const ended = await runInMemory(argv, { routes: coordinator().routes, terminal, clock: new FakeClock() });
  expect(ended).toMatchObject({ exitCode: 0, stdout: '' });
  expect(ended.stderr).toMatch(/\(12,345 rows, /);
  expect(new Uint8Array(readFileSync(path))).toEqual(BYTES);
  expect(readdirSync(folder)).toEqual(['big.parquet']);
});

test('S1: a result that breaks off leaves the file as it was', async () => {
  const path = join(folder, 'big.parquet');
  writeFileSync(path, 'of yesterday');
  const argv = ['sql', '-o', 'parquet', '--output-file', path, 'SELECT lost'];
  expect((await runInMemory(argv, { routes: coordinator().routes })).exitCode).toBe(1);
  expect(readFileSync(path, 'utf8')).toBe('of yesterday');
  expect(readdirSync(folder)).toEqual(['big.parquet']);
});

test('a second result does not go into the same Parquet file', async () => {
  const path = join(folder, 'big.parquet');
  const argv = ['sql', '-o', 'parquet', '--output-file', path, 'SELECT big; SELECT big'];
  const ended = await runInMemory(argv, { routes: coordinator().routes });
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain('a Parquet file holds one result');
  expect(existsSync(path)).toBe(false);
});

test('other formats go into a file too, csv unless given', async () => {
  const path = join(folder, 'all.csv');
  const terminal = new FakeTerminal({ stdoutIsTerminal: true });
  const { stdout } = await runInMemory(['sql', '--output-file', path, 'SELECT 1; SELECT 1'], {
    routes: coordinator().routes,
    terminal,
  });
  expect(stdout).toBe('');
  expect(readFileSync(path, 'utf8')).toBe('n\n1\nn\n1\n');
});

test('a file that cannot be written is said before anything runs', async () => {
  const server = coordinator();
  const path = join(folder, 'missing', 'x.csv');
  const ended = await runInMemory(['sql', '--output-file', path, 'SELECT 1'], { routes: server.routes });
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain('cannot write the file of --output-file');
  expect(server.requests).toEqual([]);
});
