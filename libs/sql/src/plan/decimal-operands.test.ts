// Decimal arithmetic that is written back from a plan has the type of the plan without a cast of each value, and fails where the
// statement fails.
import { TestEngine } from '../testing/engine.js';
import type { PlanExpression, PlanType } from './plan.js';
import { decimalOperands } from './decimal-operands.js';
import { expressionSql } from './expression-sql.js';
import { wholeSql } from './testing/whole-sql.js';

let engine: TestEngine;

beforeAll(async () => {
  engine = await TestEngine.create();
  await engine.table(
    'prices',
    `SELECT (i * 1.17)::DECIMAL(15,2) AS p, (i / 100)::DECIMAL(15,2) AS d, (i * 3)::DECIMAL(4,1) AS s,
       99999999999999.99::DECIMAL(16,2) AS high, i::DECIMAL(38,4) AS wide FROM range(90) t(i)`,
  );
});

afterAll(() => engine.close());

const decimal = (width: number, scale: number): PlanType => ({
  id: 'DECIMAL',
  sql: `DECIMAL(${width},${scale})`,
  children: [],
});
const column = (index: number, type: PlanType): PlanExpression => ({ kind: 'column', index, type });
const constant = (text: string, type: PlanType): PlanExpression => ({
  kind: 'constant',
  sql: `CAST('${text}' AS ${type.sql})`,
  text,
  type,
});

test.each([
  ['-', constant('1.00', decimal(16, 2)), column(0, decimal(15, 2)), decimal(16, 2)],
  ['+', column(0, decimal(15, 2)), constant('1.00', decimal(16, 2)), decimal(16, 2)],
  ['*', constant('0.2', decimal(18, 1)), column(0, decimal(15, 2)), decimal(17, 3)],
  ['*', constant('-0.05', decimal(18, 2)), column(0, decimal(12, 2)), decimal(15, 4)],
  ['+', constant('0.00', decimal(18, 2)), column(0, decimal(18, 4)), decimal(18, 4)],
  ['-', column(0, decimal(38, 4)), constant('5.0000', decimal(38, 4)), decimal(38, 4)],
] as const)('%s of %o and %o gives its type by itself', async (name, left, right, wanted) => {
  const given = decimalOperands(name, [left, right], wanted);
  const texts = given.map((operand) => expressionSql(operand, () => `CAST(0.01 AS ${operand.type.sql})`));
  expect(await engine.types(`SELECT ${texts.join(` ${name} `)} AS x`)).toEqual([wanted.sql]);
});

test('a constant whose digits do not fit into less, or that gives another type with less, stays', () => {
  const wide = constant('12345.00', decimal(7, 2));
  for (const operands of [
    [wide, column(0, decimal(6, 2))],
    [constant('1.00', decimal(20, 2)), column(0, decimal(15, 2))],
  ] as const)
    expect(decimalOperands('*', operands, decimal(38, 4))).toEqual(operands);
});

test.each([
  'p * (1 - d)',
  'p * (1 - d) * (1 + d)',
  '100.00 - d',
  '0.2 * p',
  'p + 12345678901234567.5',
  '-0.05 * s - 1',
  '1000000 * s * s',
  'wide + 1',
  '1.5 - wide * 2',
  'high * 100',
  'high * 1000000.00',
  'high + high * 99',
  'high * high - 1',
  'CAST(1 AS DECIMAL(18,0)) * p',
  'CAST(123456 AS DECIMAL(20,2)) * high',
])('%s', async (text) => {
  const outcome = async (sql: string): Promise<unknown> => {
    try {
      return [await engine.types(sql), await engine.rows(sql)];
    } catch (error) {
      return String(error).slice(0, 40);
    }
  };
  const sql = `SELECT ${text} AS x FROM prices`;
  const plan = await engine.plan(sql);
  if ('unsupported' in plan) throw new Error(plan.unsupported);
  expect(await outcome(wholeSql(plan.ok).replace(/ AS c0 /, ' AS x '))).toEqual(await outcome(sql));
});
