// A small wholesale trade with the relations of TPC-H: rows are few, and keys are real.
import { nullable, oneOf, pick, sometimes } from './column-sql.js';
import { columns, type TableSpec } from './table-spec.js';

const table = (name: string, files: readonly number[], entries: Readonly<Record<string, string>>): TableSpec => ({
  schema: 'trade',
  name,
  format: 'parquet',
  files,
  columns: columns(entries),
});

const money = (salt: string, cents: number): string => `${pick(salt, cents)} / 100`;
const date = (salt: string, from: string, days: number): string => `${from} + (${pick(salt, days)})::INTEGER`;
const words = (salt: string): string =>
  `concat_ws(' ', ${['a', 'b', 'c'].map((part) => oneOf(`${salt}${part}`, ["'green'", "'special'", "'requests'", "'blue'", "'Customer'", "'Complaints'", "'steel'"])).join(', ')})`;

export const TRADE_TABLES: readonly TableSpec[] = [
  table('region', [5], {
    'r_key INTEGER': 'i',
    'r_name VARCHAR': "['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'][i + 1]",
  }),
  table('nation', [25], { 'n_key INTEGER': 'i', 'n_name VARCHAR': "'NATION ' || i", 'n_region INTEGER': 'i % 5' }),
  table('supplier', [15, 5], {
    's_key INTEGER': 'i',
    's_name VARCHAR': "'Supplier#' || lpad(i::VARCHAR, 4, '0')",
    's_nation INTEGER': pick('sn', 25),
    's_balance DECIMAL(15,2)': `${pick('sb', 1000000)} / 100 - 1000`,
    's_comment VARCHAR': words('sc'),
  }),
  table('customer', [90, 60], {
    'c_key INTEGER': 'i',
    'c_name VARCHAR': "'Customer#' || lpad(i::VARCHAR, 6, '0')",
    'c_nation INTEGER': pick('cn', 25),
    'c_phone VARCHAR': `(10 + ${pick('cp', 25)}) || '-' || ${pick('cp1', 1000)}`,
    'c_balance DECIMAL(15,2)': `${pick('cb', 1000000)} / 100 - 1000`,
    'c_segment VARCHAR': oneOf('cs', ["'BUILDING'", "'AUTOMOBILE'", "'MACHINERY'", "'HOUSEHOLD'"]),
  }),
  table('part', [60, 40], {
    'p_key INTEGER': 'i',
    'p_name VARCHAR': words('pn'),
    'p_brand VARCHAR': `'Brand#' || (1 + ${pick('pb', 3)}) || (1 + ${pick('pb1', 2)})`,
    'p_type VARCHAR': `${oneOf('pt', ["'PROMO'", "'STANDARD'", "'ECONOMY'"])} || ' ' || ${oneOf('pt1', ["'BRASS'", "'STEEL'", "'TIN'"])}`,
    'p_size INTEGER': `1 + ${pick('ps', 12)}`,
    'p_container VARCHAR': `${oneOf('pc', ["'SM'", "'MED'", "'LG'"])} || ' ' || ${oneOf('pc1', ["'BOX'", "'BAG'"])}`,
    'p_price DECIMAL(15,2)': money('pp', 200000),
  }),
  table('partsupp', [250, 150], {
    'ps_part INTEGER': 'i // 4',
    'ps_supplier INTEGER': '(i // 4 + (i % 4) * 5) % 20',
    'ps_available INTEGER': pick('psa', 1000),
    'ps_cost DECIMAL(15,2)': money('psc', 100000),
  }),
  table('orders', [400, 0, 300], {
    'o_key INTEGER': 'i * 4',
    // As in TPC-H a third of the customers has no orders.
    'o_customer INTEGER': `CASE WHEN ${pick('oc', 150)} % 3 = 0 THEN (${pick('oc', 150)} + 1) % 150 ELSE ${pick('oc', 150)} END`,
    'o_status VARCHAR': oneOf('os', ["'F'", "'O'", "'P'"]),
    'o_total DECIMAL(15,2)': money('ot', 40000000),
    'o_date DATE': date('od', "DATE '1992-01-01'", 2400),
    'o_priority VARCHAR': oneOf('op', ["'1-URGENT'", "'2-HIGH'", "'3-MEDIUM'", "'5-LOW'"]),
    'o_comment VARCHAR': words('om'),
  }),
  table('lineitem', [2200, 600], {
    'l_order INTEGER': '(i // 4) * 4',
    'l_line INTEGER': 'i % 4',
    'l_part INTEGER': pick('lp', 100),
    'l_supplier INTEGER': `(${pick('lp', 100)} + ${pick('ls', 4)} * 5) % 20`,
    'l_quantity DECIMAL(15,2)': `1 + ${pick('lq', 50)}`,
    'l_price DECIMAL(15,2)': money('lpr', 9000000),
    'l_discount DECIMAL(15,2)': `${pick('ld', 11)} / 100`,
    'l_tax DECIMAL(15,2)': `${pick('lt', 9)} / 100`,
    'l_return VARCHAR': oneOf('lr', ["'R'", "'A'", "'N'"]),
    'l_status VARCHAR': oneOf('lst', ["'O'", "'F'"]),
    'l_shipped DATE': date('lsh', "DATE '1992-01-02'", 2500),
    'l_committed DATE': date('lco', "DATE '1992-01-31'", 2450),
    'l_received DATE': nullable('lre', 2, date('lre', "DATE '1992-01-04'", 2520)),
    'l_mode VARCHAR': sometimes('lm', 5, 'NULL', oneOf('lm', ["'AIR'", "'MAIL'", "'SHIP'", "'TRUCK'"])),
    'l_instruct VARCHAR': oneOf('li', ["'DELIVER IN PERSON'", "'NONE'", "'COLLECT COD'"]),
  }),
];
