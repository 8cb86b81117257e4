// The bound, optimised plan of a query, as far as it is understood. Decoded from the engine's plan by strict lists
// (decode-plan.ts): what is not recognised makes the whole plan unsupported, never a guess.
//   B1. Outputs are positional: a column reference is an index into the output of the node's child; in a join condition's
//       `left` into the left child's, in `right` into the right child's, in `residual` into left ++ right (before projection maps).
//   B2. `types` of a node are the types of its output, in order.
//   B3. A tree is acyclic and pure: the same tree cuts into the same stages.

/** A type of the engine. */
export interface PlanType {
  /** Spelling in SQL, such as DECIMAL(15,2) or STRUCT("a" INTEGER). */
  readonly sql: string;
  /** The engine's name of the outermost type, such as DECIMAL, STRUCT, HUGEINT. */
  readonly id: string;
  /** Types of elements, fields (in order) or key and value. */
  readonly children: readonly PlanType[];
  /** Names of the fields of a STRUCT and of the members of a UNION. */
  readonly names?: readonly string[];
}

/** A bound expression. Rendered by expression-sql.ts. */
export type PlanExpression =
  | { readonly kind: 'column'; readonly index: number; readonly type: PlanType }
  /** `text` is the value as the engine casts it to VARCHAR; undefined for NULL and where no statistics are compared with it. */
  | { readonly kind: 'constant'; readonly sql: string; readonly text: string | undefined; readonly type: PlanType }
  /** Everything else: `render` writes it from the SQL of its operands, which are complete expressions. */
  | {
      readonly kind: 'compound';
      readonly operands: readonly PlanExpression[];
      readonly render: (operands: readonly string[]) => string;
      readonly type: PlanType;
    };

export interface SortKey {
  readonly expression: PlanExpression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface AggregateCall {
  /** The engine's name in lower case, such as sum, count_star, arg_min. */
  readonly name: string;
  readonly operands: readonly PlanExpression[];
  readonly isDistinct: boolean;
  readonly filter: PlanExpression | undefined;
  /** ORDER BY inside the call. */
  readonly orders: readonly SortKey[];
  readonly type: PlanType;
}

export interface WindowCall {
  readonly partitions: readonly PlanExpression[];
  /** All expressions of the call, `partitions` among them, in the order that `render` takes. */
  readonly operands: readonly PlanExpression[];
  /** Writes the whole call with its OVER clause from the SQL of its operands. */
  readonly render: (operands: readonly string[]) => string;
  readonly type: PlanType;
}

export interface JoinCondition {
  readonly left: PlanExpression;
  readonly right: PlanExpression;
  /** An SQL operator: =, <>, <, <=, >, >=, IS NOT DISTINCT FROM, IS DISTINCT FROM. */
  readonly comparison: string;
}

export type JoinKind =
  'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti' | 'right_semi' | 'right_anti' | 'mark' | 'single';

interface NodeBase {
  readonly types: readonly PlanType[];
  /** Rows that the optimiser expects. */
  readonly estimatedRows: number;
}

export type PlanNode = NodeBase &
  (
    | {
        readonly op: 'scan';
        /** Full name of the table in the catalogs. */
        readonly table: string;
        /** Columns of the table that are read, by name, in the order that `filters` and `output` refer to. */
        readonly columns: readonly { readonly name: string; readonly type: PlanType }[];
        /** Conditions over `columns`, all of which hold. */
        readonly filters: readonly PlanExpression[];
        /** The output: indexes into `columns`. */
        readonly output: readonly number[];
      }
    /** Constant rows: VALUES, a folded subquery; without columns and with one row for SELECT without FROM. */
    | { readonly op: 'values'; readonly rows: readonly (readonly PlanExpression[])[] }
    | { readonly op: 'empty' }
    | {
        readonly op: 'filter';
        readonly child: PlanNode;
        readonly predicates: readonly PlanExpression[];
        readonly output: readonly number[];
      }
    | { readonly op: 'project'; readonly child: PlanNode; readonly expressions: readonly PlanExpression[] }
    /** Output: the child's columns, then one per unnested expression. */
    | { readonly op: 'unnest'; readonly child: PlanNode; readonly expressions: readonly PlanExpression[] }
    /** Output: groups, aggregates, then one BIGINT per entry of `groupings`. */
    | {
        readonly op: 'aggregate';
        readonly child: PlanNode;
        readonly groups: readonly PlanExpression[];
        /** Grouping sets as indexes into groups; one set with all of them for a plain GROUP BY; [[]] for none. */
        readonly sets: readonly (readonly number[])[];
        readonly aggregates: readonly AggregateCall[];
        /** GROUPING() calls as indexes into groups. */
        readonly groupings: readonly (readonly number[])[];
      }
    /** Without `on`: all columns. With `on`: DISTINCT ON, the first by `orders`. */
    | {
        readonly op: 'distinct';
        readonly child: PlanNode;
        readonly on: readonly PlanExpression[] | undefined;
        readonly orders: readonly SortKey[];
      }
    /** Output: left ++ right through the maps; semi and anti only left (their right_ twins only right); mark: left ++ BOOLEAN; single: left ++ right. */
    | {
        readonly op: 'join';
        readonly kind: JoinKind;
        readonly left: PlanNode;
        readonly right: PlanNode;
        readonly conditions: readonly JoinCondition[];
        /** Any further condition, over left ++ right. */
        readonly residual: PlanExpression | undefined;
        readonly leftOutput: readonly number[];
        readonly rightOutput: readonly number[];
        /** Set for a delim join: `delimId` names it, and `eliminated` are the expressions whose distinct values its delim scans
         *  give: over the left child, or the right one when `isFlipped`. */
        readonly delim:
          | { readonly delimId: number; readonly eliminated: readonly PlanExpression[]; readonly isFlipped: boolean }
          | undefined;
      }
    /** The distinct values of the duplicate-eliminated columns of the delim join around it. */
    | { readonly op: 'delimScan'; readonly delimId: number }
    | { readonly op: 'cross'; readonly left: PlanNode; readonly right: PlanNode }
    | {
        readonly op: 'order';
        readonly child: PlanNode;
        readonly keys: readonly SortKey[];
        readonly output: readonly number[];
      }
    | {
        readonly op: 'topN';
        readonly child: PlanNode;
        readonly keys: readonly SortKey[];
        readonly limit: number;
        readonly offset: number;
      }
    | { readonly op: 'limit'; readonly child: PlanNode; readonly limit: number | undefined; readonly offset: number }
    /** Output: the child's columns, then one per call. */
    | { readonly op: 'window'; readonly child: PlanNode; readonly calls: readonly WindowCall[] }
    | {
        readonly op: 'setOperation';
        readonly kind: 'union' | 'except' | 'intersect';
        readonly isAll: boolean;
        readonly inputs: readonly PlanNode[];
      }
    /** A materialised CTE: `definition` is computed once, and read by the cteScans below `child` that have its id. */
    | { readonly op: 'cte'; readonly cteId: number; readonly definition: PlanNode; readonly child: PlanNode }
    | { readonly op: 'cteScan'; readonly cteId: number }
  );

/** What became of the attempt to understand a plan. */
export type DecodedPlan =
  | { readonly ok: PlanNode }
  /** The query runs whole on one worker. `reason` names the operator or function, for EXPLAIN. */
  | { readonly unsupported: string };
