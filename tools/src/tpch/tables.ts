// One SELECT per table: rows of a range of keys, in the order of the keys. Rules of values: clauses 4.2.2 and 4.2.3.
import { address, comment, money, oneOf, phone, sqlList, uniform } from './random-sql.js';
import type { KeyRange, Scale } from './scale.js';
import type { TableName } from './schema.js';
import { COLOURS, CONTAINERS, INSTRUCTIONS, MODES, NATIONS, PRIORITIES, REGIONS, SEGMENTS, TYPES } from './words.js';

const keys = ({ first, last }: KeyRange): string => `range(${first}, ${last + 1}) AS keys(k)`;
const numbered = (what: string, key: string): string => `'${what}#' || lpad((${key})::VARCHAR, 9, '0')`;

/** The supplier number `i` (0 to 3) of a part: neighbours in the list of a part's suppliers are far from each other. */
const supplierOf = (part: string, i: string, { suppliers: s }: Scale): string =>
  `((${part} + ${i} * (${Math.floor(s / 4)} + (${part} - 1) // ${s})) % ${s} + 1)`;

/** The price of a part, in cents: a formula, so that a line knows it without looking at the part. */
const retailCents = (part: string): string => `(90000 + ((${part} // 10) % 20001) + 100 * (${part} % 1000))`;

function region(range: KeyRange): string {
  return `
    SELECT (k - 1)::INTEGER AS r_regionkey, ${sqlList(REGIONS)}[k] AS r_name, ${comment('r_comment', 'k', 31, 115)} AS r_comment
    FROM ${keys(range)}`;
}

function nation(range: KeyRange): string {
  return `
    SELECT (k - 1)::INTEGER AS n_nationkey,
      ${sqlList(NATIONS.map(([name]) => name))}[k] AS n_name,
      [${NATIONS.map(([, regionKey]) => regionKey).join(', ')}][k]::INTEGER AS n_regionkey,
      ${comment('n_comment', 'k', 31, 114)} AS n_comment
    FROM ${keys(range)}`;
}

/** In every 2000 suppliers one draws complaints of customers and one is recommended by them: query 16 asks for that. */
function supplierComment(): string {
  const block = '((k - 1) // 2000)';
  const place = `(k - 1 - 2000 * ${block})`;
  const praised = uniform('s_recommended', block, 0, 49);
  const blamed = uniform('s_complaints', block, 50, 99);
  const text = comment('s_comment', 'k', 25, 100);
  const insert = (word: string): string =>
    `(SELECT substring(t, 1, 4) || 'Customer ' || substring(t, 5, 4) || '${word}' || substring(t, 9, 71) FROM (SELECT ${text} AS t))`;
  return `CASE ${place} WHEN ${praised} THEN ${insert('Recommends')} WHEN ${blamed} THEN ${insert('Complaints')} ELSE ${text} END`;
}

function supplier(range: KeyRange): string {
  return `
    SELECT k AS s_suppkey, ${numbered('Supplier', 'k')} AS s_name, ${address('s_address', 'k')} AS s_address,
      nation::INTEGER AS s_nationkey, ${phone('s_phone', 'k', 'nation')} AS s_phone,
      ${money(uniform('s_acctbal', 'k', -99_999, 999_999))} AS s_acctbal, ${supplierComment()} AS s_comment
    FROM (SELECT k, ${uniform('s_nationkey', 'k', 0, 24)} AS nation FROM ${keys(range)})`;
}

function part(range: KeyRange): string {
  // Five words with 1 to 22 places between neighbours in the circle of 92: never the same word twice.
  const steps = ['p_name.1', 'p_name.2', 'p_name.3', 'p_name.4'].map((name) => uniform(name, 'k', 1, 22));
  const word = (index: number): string => `${sqlList(COLOURS)}[1 + (${wordPlace(index)}) % ${COLOURS.length}]`;
  const wordPlace = (index: number): string => ['w', ...steps.slice(0, index)].join(' + ');
  return `
    SELECT k AS p_partkey, ${[0, 1, 2, 3, 4].map(word).join(" || ' ' || ")} AS p_name,
      'Manufacturer#' || m AS p_mfgr, 'Brand#' || m || ${uniform('p_brand', 'k', 1, 5)} AS p_brand,
      ${TYPES.map((values, i) => oneOf(`p_type.${i}`, 'k', values)).join(" || ' ' || ")} AS p_type,
      ${uniform('p_size', 'k', 1, 50)}::INTEGER AS p_size,
      ${CONTAINERS.map((values, i) => oneOf(`p_container.${i}`, 'k', values)).join(" || ' ' || ")} AS p_container,
      ${money(retailCents('k'))} AS p_retailprice, ${comment('p_comment', 'k', 5, 22)} AS p_comment
    FROM (SELECT k, ${uniform('p_name', 'k', 0, COLOURS.length - 1)} AS w, ${uniform('p_mfgr', 'k', 1, 5)} AS m
      FROM ${keys(range)})`;
}

/** Keys are those of parts; each has four rows. */
function partsupp(range: KeyRange, scale: Scale): string {
  return `
    SELECT k AS ps_partkey, ${supplierOf('k', 'i', scale)} AS ps_suppkey,
      ${uniform('ps_availqty', 'k * 4 + i', 1, 9_999)}::INTEGER AS ps_availqty,
      ${money(uniform('ps_supplycost', 'k * 4 + i', 100, 100_000))} AS ps_supplycost,
      ${comment('ps_comment', 'k * 4 + i', 49, 198)} AS ps_comment
    FROM (SELECT k, unnest(range(4)) AS i FROM ${keys(range)})`;
}

function customer(range: KeyRange): string {
  return `
    SELECT k AS c_custkey, ${numbered('Customer', 'k')} AS c_name, ${address('c_address', 'k')} AS c_address,
      nation::INTEGER AS c_nationkey, ${phone('c_phone', 'k', 'nation')} AS c_phone,
      ${money(uniform('c_acctbal', 'k', -99_999, 999_999))} AS c_acctbal, ${oneOf('c_mktsegment', 'k', SEGMENTS)} AS c_mktsegment,
      ${comment('c_comment', 'k', 29, 116)} AS c_comment
    FROM (SELECT k, ${uniform('c_nationkey', 'k', 0, 24)} AS nation FROM ${keys(range)})`;
}

const DAYS = 2405; // From the first day to 151 days before the last one, 1998-12-31, so that all lines arrive by then.
const orderDate = `(DATE '1992-01-01' + ${uniform('o_orderdate', 'k', 0, DAYS)}::INTEGER)`;
const TODAY = `DATE '1995-06-17'`;
const orderKey = '((k // 8) * 32 + k % 8)';

/**
 * The lines of a range of orders: the columns of lineitem, and for the orders themselves `k` and the line's `total` in
 * ten-thousandths of a cent. Keys are the numbers of orders; order keys are the first 8 of every 32.
 */
export function lines(range: KeyRange, scale: Scale): string {
  const number = (name: string, low: number, high: number): string => uniform(name, 'id', low, high);
  return `
    SELECT k, ${orderKey} AS l_orderkey, part AS l_partkey, ${supplierOf('part', number('l_suppkey', 0, 3), scale)} AS l_suppkey,
      line::INTEGER AS l_linenumber, quantity::DECIMAL(15,2) AS l_quantity, ${money('cents')} AS l_extendedprice,
      ${money('discount')} AS l_discount, ${money('tax')} AS l_tax,
      CASE WHEN received > ${TODAY} THEN 'N' WHEN ${number('l_returnflag', 0, 1)} = 0 THEN 'R' ELSE 'A' END AS l_returnflag,
      CASE WHEN shipped > ${TODAY} THEN 'O' ELSE 'F' END AS l_linestatus,
      shipped AS l_shipdate, ordered + ${number('l_commitdate', 30, 90)}::INTEGER AS l_commitdate, received AS l_receiptdate,
      ${oneOf('l_shipinstruct', 'id', INSTRUCTIONS)} AS l_shipinstruct, ${oneOf('l_shipmode', 'id', MODES)} AS l_shipmode,
      ${comment('l_comment', 'id', 10, 43)} AS l_comment,
      cents * (100 - discount) * (100 + tax) AS total
    FROM (
      SELECT *, quantity * ${retailCents('part')} AS cents, shipped + ${number('l_receiptdate', 1, 30)}::INTEGER AS received
      FROM (
        SELECT k, line, id, ordered, ${number('l_partkey', 1, scale.parts)} AS part, ${number('l_quantity', 1, 50)} AS quantity,
          ${number('l_discount', 0, 10)} AS discount, ${number('l_tax', 0, 8)} AS tax,
          ordered + ${number('l_shipdate', 1, 121)}::INTEGER AS shipped
        FROM (
          SELECT *, k * 8 + line AS id
          FROM (SELECT k, ${orderDate} AS ordered, unnest(range(1, 1 + ${uniform('o_lines', 'k', 1, 7)})) AS line FROM ${keys(range)}))))`;
}

/** The orders of the lines in the table `lines`. Customers whose key is divisible by 3 never order. */
function orders(_range: KeyRange, scale: Scale): string {
  const buyers = scale.customers - Math.floor(scale.customers / 3);
  return `
    SELECT ${orderKey} AS o_orderkey, (buyer // 2) * 3 + buyer % 2 + 1 AS o_custkey, status AS o_orderstatus,
      ${money('(total + 5000) // 10000')} AS o_totalprice, ${orderDate} AS o_orderdate,
      ${oneOf('o_orderpriority', 'k', PRIORITIES)} AS o_orderpriority,
      ${numbered('Clerk', uniform('o_clerk', 'k', 1, scale.clerks))} AS o_clerk, 0::INTEGER AS o_shippriority,
      ${comment('o_comment', 'k', 19, 78)} AS o_comment
    FROM (
      SELECT k, ${uniform('o_custkey', 'k', 0, buyers - 1)} AS buyer, sum(total)::BIGINT AS total,
        CASE min(l_linestatus) || max(l_linestatus) WHEN 'FF' THEN 'F' WHEN 'OO' THEN 'O' ELSE 'P' END AS status
      FROM lines GROUP BY k ORDER BY k)`;
}

const lineitem = (): string => 'SELECT * EXCLUDE (k, total) FROM lines';

/** SELECTs by table. Those of orders and lineitem read a table `lines` with the result of `lines` above. */
export const tableQueries: Readonly<Record<TableName, (range: KeyRange, scale: Scale) => string>> = {
  region,
  nation,
  supplier,
  part,
  partsupp,
  customer,
  orders,
  lineitem,
};
