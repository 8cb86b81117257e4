// UNION ALL leaves rows where they are. EXCEPT and INTERSECT compare whole rows: equal rows, NULLs too, come together.
import type { Cutter } from './cutter.js';
import { distinctRows } from './cut-distinct.js';
import { type Fragment, isDivided, joinInputs, REPLICATED, SINGLE } from './fragment.js';
import { allOf } from './all-of.js';
import type { NodeOf } from './plan-nodes.js';
import { allColumns, ONCE_MARK, NotCuttable, selectFrom } from './stage-sql.js';

type SetNode = NodeOf<'setOperation'>;

export function openSetOperation(node: SetNode, cutter: Cutter): Fragment | undefined {
  const inputs = cutter.openAll(node.inputs);
  if (inputs === undefined) return undefined;
  if (node.kind === 'union') {
    const all = unionAll(node, inputs);
    return node.isAll ? all : distinctRows(all, node, cutter);
  }
  const placed = inputs.some(isDivided) ? byWholeRows(node, inputs, cutter) : inputs;
  return placed && combined(node, placed, ` ${node.kind.toUpperCase()}${node.isAll ? ' ALL' : ''} `);
}

function unionAll(node: SetNode, inputs: readonly Fragment[]): Fragment {
  if (!inputs.some(isDivided)) return combined(node, inputs, ' UNION ALL ');
  const parts = inputs.map((input) => {
    if (isDivided(input)) return { ...input, distribution: { kind: 'divided', hash: undefined } as const };
    // Every task could give these rows: the first one does.
    const sql = selectFrom(allColumns(input.types.length), input.sql, ` WHERE ${ONCE_MARK}`);
    return { ...input, sql, distribution: { kind: 'divided', hash: undefined } as const };
  });
  return combined(node, parts, ' UNION ALL ');
}

/** All inputs by the hash of all columns. */
function byWholeRows(node: SetNode, inputs: readonly Fragment[], cutter: Cutter): readonly Fragment[] | undefined {
  const hasSameTypes = inputs.every(({ types }) => types.every((type, index) => type.sql === node.types[index]?.sql));
  if (!hasSameTypes || node.types.length === 0) {
    return allOf(inputs.map((input, index) => cutter.gather(input, node, `input${index}`)));
  }
  const keys = node.types.map((type, index) => ({ kind: 'column', index, type }) as const);
  const closed = allOf(
    inputs.map((input, index) => cutter.close(input, node, `input${index}`, { kind: 'partitioned', keys })),
  );
  return closed?.map((stage) => cutter.read(stage, 'partition'));
}

function combined(node: SetNode, inputs: readonly Fragment[], operator: string): Fragment {
  const [first] = inputs;
  if (first === undefined) throw new NotCuttable('a set operation without inputs');
  const isReplicated = inputs.every(({ distribution }) => distribution.kind === 'replicated');
  const whole = isReplicated ? REPLICATED : SINGLE;
  const selects = inputs.map((input) => `(${selectFrom(allColumns(input.types.length), input.sql)})`);
  const estimates = inputs.map(({ estimatedRows }) => estimatedRows);
  return {
    ...joinInputs(inputs),
    sql: `SELECT * FROM (${selects.join(operator)}) AS t`,
    types: node.types,
    distribution: isDivided(first) ? first.distribution : whole,
    estimatedRows: node.kind === 'union' ? estimates.reduce((sum, rows) => sum + rows, 0) : (estimates[0] ?? 0),
    operators: [...joinInputs(inputs).operators, operator.trim().toLowerCase()],
    origins: node.types.map(() => undefined),
    stored: undefined,
    isRowwise: false,
    isOneRow: false,
  };
}
