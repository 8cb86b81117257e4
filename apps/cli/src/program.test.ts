import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInMemory } from './testing/run-in-memory.js';
import { PROGRAM_VERSION } from '@tutti/service';

test('the version is that of the package', async () => {
  const manifest = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as { version: string };
  expect(PROGRAM_VERSION).toBe(manifest.version);
  expect(await runInMemory(['--version'])).toEqual({ exitCode: 0, stdout: `${PROGRAM_VERSION}\n`, stderr: '' });
});

describe('help', () => {
  test('lists the commands, examples and exit codes', async () => {
    const { exitCode, stdout } = await runInMemory(['--help']);
    expect(exitCode).toBe(0);
    for (const name of ['sql', 'status', 'nodes', 'groups', 'queries', 'kill'])
      expect(stdout).toContain(`\n  ${name} `);
    expect(stdout).toContain('Exit codes: 0 ok, 1 ');
  });

  test.each([
    ...['sql', 'status', 'nodes', 'groups', 'groups validate', 'groups which'],
    ...['queries', 'queries why', 'kill'],
  ])('of %s has examples', async (name) => {
    const { exitCode, stdout } = await runInMemory([...name.split(' '), '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`$ tutti ${name}`);
    expect(stdout).toContain('--server <url>');
  });
});

describe('a wrong command line', () => {
  test.each([
    [['node'], "unknown command 'node'"],
    [['node'], '(Did you mean nodes?)'],
    [['SELECT 1'], 'SQL is run with: tutti sql'],
    [['sql', '--formt', 'csv'], "unknown option '--formt'"],
    [['sql', '-o', 'xml', 'SELECT 1'], 'Allowed choices are table, csv, json, jsonl, parquet.'],
    [['sql', 'SELECT', '1'], 'The statement must be one argument: put it in quotes.'],
    [['sql', '--time-limit', '30', 'SELECT 1'], 'Write it with a unit, for example 30s'],
    [['sql', '--time-limit', '0s', 'SELECT 1'], 'Write more than 0, for example 30s'],
    [['queries', '--state', 'running,runing'], '--state: no such state: runing; the states are queued, '],
    [['sql', '--cpu-time-limit', '1', 'SELECT 1'], 'Write it with a unit, for example 30s'],
    [['sql', '--memory-limit', '2', 'SELECT 1'], 'Write it with a unit, for example 512MB'],
    [['sql', '--cpu-time-limit', '0s', 'SELECT 1'], 'Write more than 0, for example 30s'],
    [['sql', '--memory-limit', '0B', 'SELECT 1'], 'Write more than 0, for example 512MB'],
    [['sql', '--memory-limit=-1GB', 'SELECT 1'], 'Write more than 0, for example 512MB'],
    [['sql', '--resource-estimate', 'cpu-time=-1s', 'SELECT 1'], 'Write more than 0, for example 30s'],
    [['sql', '--resource-estimate', 'cpu-time=-1', 'SELECT 1'], 'Write it with a unit, for example 30s'],
    [['sql', '--priority', '0', 'SELECT 1'], 'Write a whole number from 1.'],
    [['sql', '--priority', '1e12', 'SELECT 1'], 'Write a whole number up to 1000000000.'],
    [['sql', '--resource-estimate', 'cpu=1h', 'SELECT 1'], 'the names are execution-time, cpu-time and peak-memory'],
    [['sql', '--resource-estimate', 'cpu-time=1', 'SELECT 1'], 'Write it with a unit, for example 30s'],
    [['groups', 'which', '--query-type', 'selekt'], 'Did you mean SELECT?'],
    [['groups', 'which', '--query-type', 'x'], 'It is one of DATA_DEFINITION, DELETE, '],
    [['groups', 'validate'], "missing required argument 'file'"],
    [['groups', 'valdate', 'groups.json'], 'A file is checked with: tutti groups validate FILE'],
    [['queries', 'why', '--state', 'running'], '--state has no meaning here: what waits is shown'],
    [['queries', 'why', 'q1', '--group', 'global'], 'give either the id of one query, or --group and --user'],
    [['queries', '--limit', '0'], 'Write a whole number from 1.'],
    [['queries', '20261122_151200_00001_k3x9q'], 'tutti queries show QUERY_ID'],
    [['kill'], "missing required argument 'query-id'"],
    [['status', '--server', 'ftp://host'], '--server: "ftp://host" is no URL; write it like http://127.0.0.1:8080'],
    [['status', '--server', ' , '], '--server names no server'],
    [[], 'Usage: tutti'],
  ])('%j exits with 2 and says what to do', async (argv, message) => {
    const { exitCode, stdout, stderr } = await runInMemory(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

test('a statement that begins with a comment is a statement, not an option', async () => {
  const { exitCode, stderr } = await runInMemory(['sql', '-- daily report\nSELECT 1', '--no-such-option']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("unknown option '--no-such-option'");
});
