export interface Column {
  readonly name: string;
  readonly type: string;
}

const MONEY = 'DECIMAL(15,2)';

const columns = (prefix: string, types: Readonly<Record<string, string>>): readonly Column[] =>
  Object.entries(types).map(([name, type]) => ({ name: `${prefix}_${name}`, type }));

/** The eight tables of TPC-H with their columns in the order of clause 1.4. */
export const TABLES = {
  region: columns('r', { regionkey: 'INTEGER', name: 'VARCHAR', comment: 'VARCHAR' }),
  nation: columns('n', { nationkey: 'INTEGER', name: 'VARCHAR', regionkey: 'INTEGER', comment: 'VARCHAR' }),
  supplier: columns('s', {
    suppkey: 'BIGINT',
    name: 'VARCHAR',
    address: 'VARCHAR',
    nationkey: 'INTEGER',
    phone: 'VARCHAR',
    acctbal: MONEY,
    comment: 'VARCHAR',
  }),
  part: columns('p', {
    partkey: 'BIGINT',
    name: 'VARCHAR',
    mfgr: 'VARCHAR',
    brand: 'VARCHAR',
    type: 'VARCHAR',
    size: 'INTEGER',
    container: 'VARCHAR',
    retailprice: MONEY,
    comment: 'VARCHAR',
  }),
  partsupp: columns('ps', {
    partkey: 'BIGINT',
    suppkey: 'BIGINT',
    availqty: 'INTEGER',
    supplycost: MONEY,
    comment: 'VARCHAR',
  }),
  customer: columns('c', {
    custkey: 'BIGINT',
    name: 'VARCHAR',
    address: 'VARCHAR',
    nationkey: 'INTEGER',
    phone: 'VARCHAR',
    acctbal: MONEY,
    mktsegment: 'VARCHAR',
    comment: 'VARCHAR',
  }),
  orders: columns('o', {
    orderkey: 'BIGINT',
    custkey: 'BIGINT',
    orderstatus: 'VARCHAR',
    totalprice: MONEY,
    orderdate: 'DATE',
    orderpriority: 'VARCHAR',
    clerk: 'VARCHAR',
    shippriority: 'INTEGER',
    comment: 'VARCHAR',
  }),
  lineitem: columns('l', {
    orderkey: 'BIGINT',
    partkey: 'BIGINT',
    suppkey: 'BIGINT',
    linenumber: 'INTEGER',
    quantity: MONEY,
    extendedprice: MONEY,
    discount: MONEY,
    tax: MONEY,
    returnflag: 'VARCHAR',
    linestatus: 'VARCHAR',
    shipdate: 'DATE',
    commitdate: 'DATE',
    receiptdate: 'DATE',
    shipinstruct: 'VARCHAR',
    shipmode: 'VARCHAR',
    comment: 'VARCHAR',
  }),
} as const satisfies Record<string, readonly Column[]>;

export type TableName = keyof typeof TABLES;

export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

/** What a table holds, for SHOW and DESCRIBE. */
export const TABLE_COMMENTS: Readonly<Record<TableName, string>> = {
  region: 'Regions of the world.',
  nation: 'Nations, each in one region.',
  supplier: 'Suppliers of parts.',
  part: 'Parts that are bought and sold.',
  partsupp: 'Which suppliers have which parts, how many and at what cost: four for each part.',
  customer: 'Customers. One in three never ordered anything.',
  orders: 'Orders of customers. Order keys are sparse: the first 8 of every 32 are used.',
  lineitem: 'Lines of orders, one to seven for each.',
};
