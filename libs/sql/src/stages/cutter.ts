// One walk over a plan with what is known now.
//   C1. By facts (adaptive), a fragment that reads a stage exists only when the facts of that stage are known; until then it
//       is undefined, and so is everything above it. So a decision is made once, with facts that do not change (G1).
//   C2. By estimates, facts decide nothing: all stages are there at once.
//   C3. Stages are named after the number of their plan node and their role there (G1).
import { invariant, unreachable } from '@tutti/base';
import type { PlanExpression, PlanNode } from '../plan/plan.js';
import type { TableSize } from '../splits/table-size.js';
import { allOf } from './all-of.js';
import { openAggregate } from './cut-aggregate.js';
import { openCte, openCteScan } from './cut-cte.js';
import { openDelimScan } from './cut-delim.js';
import { openDistinct } from './cut-distinct.js';
import { openCross, openJoin } from './cut-join.js';
import { openFilter, openProject, openUnnest } from './cut-rows.js';
import { isReadWhole, openEmpty, openScan, openValues } from './cut-scan.js';
import { openSetOperation } from './cut-set-operation.js';
import { openLimit, openOrder, openTopN } from './cut-sort.js';
import { openWindow } from './cut-window.js';
import { read, stageOf, type StageOutput } from './close-stage.js';
import { type ClosedStage, type Fragment, isDivided, REPLICATED } from './fragment.js';
import { type KeyRanges, keyRangesOf } from './key-ranges.js';
import { type NodeOf, nodesOf } from './plan-nodes.js';
import type { CutSettings, Stage, StageFacts, StageRead } from './stage.js';
import { column, readMark, selectList } from './stage-sql.js';

export interface CutInput {
  readonly plan: PlanNode;
  readonly facts: ReadonlyMap<string, StageFacts>;
  readonly settings: CutSettings;
  readonly tables: ReadonlyMap<string, TableSize>;
}

/** A build side of which more than this many times the rows of a broadcast are expected is not tried for one. */
const TRIAL_FACTOR = 10;

export class Cutter {
  /** All stages that were closed, in order; of these `wanted` have no facts. */
  readonly stages: Stage[] = [];
  readonly ctes = new Map<number, CommonTable>();
  /** By the id of the delim join: opens the distinct values of its outer side. */
  readonly delims = new Map<number, () => Fragment | undefined>();
  private readonly numbers: ReadonlyMap<PlanNode, number>;
  private readonly ranges: ReadonlyMap<PlanNode, KeyRanges>;
  private reads = 0;

  constructor(private readonly input: CutInput) {
    const { plan, tables, settings } = input;
    this.numbers = new Map(nodesOf(plan).map((node, index) => [node, index]));
    this.ranges = keyRangesOf(plan, tables, settings, (scan) => !isReadWhole(scan, tables.get(scan.table), settings));
  }

  get settings(): CutSettings {
    return this.input.settings;
  }

  table(name: string): TableSize | undefined {
    return this.input.tables.get(name);
  }

  /** Whether statistics tell that an expression over the columns of a fragment is never NULL: a column of a table where none is. */
  isFull({ origins, scans }: Fragment, expression: PlanExpression): boolean {
    const origin = expression.kind === 'column' ? origins[expression.index] : undefined;
    const scan = scans.find(({ number }) => number === origin?.scan);
    if (origin === undefined || scan === undefined) return false;
    const name = scan.columns[origin.column]?.name ?? '';
    const parts = this.table(scan.table)?.parts ?? [];
    return parts.length > 0 && parts.every(({ ranges }) => ranges[name]?.isFull === true);
  }

  /** By which ranges of a key a scan is divided; undefined: by splits. */
  rangesOf(scan: PlanNode): KeyRanges | undefined {
    return this.ranges.get(scan);
  }

  numberOf(node: PlanNode): number {
    const number = this.numbers.get(node);
    invariant(number !== undefined, 'a node of another plan');
    return number;
  }

  /** The rows of a node; undefined while stages below it have to run first (C1). */
  open(node: PlanNode): Fragment | undefined {
    switch (node.op) {
      case 'scan':
        return openScan(node, this);
      case 'values':
        return openValues(node);
      case 'empty':
        return openEmpty(node);
      case 'filter':
        return openFilter(node, this);
      case 'project':
        return openProject(node, this);
      case 'unnest':
        return openUnnest(node, this);
      case 'aggregate':
        return openAggregate(node, this);
      case 'distinct':
        return openDistinct(node, this);
      case 'join':
        return openJoin(node, this);
      case 'cross':
        return openCross(node, this);
      case 'delimScan':
        return openDelimScan(node, this);
      case 'order':
        return openOrder(node, this);
      case 'topN':
        return openTopN(node, this);
      case 'limit':
        return openLimit(node, this);
      case 'window':
        return openWindow(node, this);
      case 'setOperation':
        return openSetOperation(node, this);
      case 'cte':
        return openCte(node, this);
      case 'cteScan':
        return openCteScan(node, this);
      default:
        return unreachable(node);
    }
  }

  /** Opens all of them, also when one has to wait: stages of independent inputs run side by side. */
  openAll(nodes: readonly PlanNode[]): readonly Fragment[] | undefined {
    return allOf(nodes.map((node) => this.open(node)));
  }

  /** Makes a stage of a fragment. Undefined while its facts are needed and not known (C1). */
  close(fragment: Fragment, node: PlanNode, role: string, output: Exclude<StageOutput, { kind: 'result' }>) {
    const id = `${this.numberOf(node)}-${role}`;
    const facts = this.input.facts.get(id);
    const stage = stageOf(fragment, id, output, this.settings);
    this.stages.push(stage);
    if (this.settings.isAdaptive && facts === undefined) return undefined;
    const keys = output.kind === 'partitioned' ? output.keys : [];
    const hash = keys.map((key) => new Set(key.kind === 'column' ? [key.index] : []));
    const closed: ClosedStage = {
      stage,
      facts,
      rows: this.settings.isAdaptive && facts !== undefined ? facts.rows : fragment.estimatedRows, // C2
      types: fragment.types,
      hash: output.kind === 'partitioned' ? hash : undefined,
    };
    return closed;
  }

  /** The rows of a stage. By `partition` and `own` they are divided, by `all` every task has them. */
  read(stage: ClosedStage, share: StageRead['share']): Fragment {
    const number = this.reads++;
    const { types, hash, rows } = stage;
    const usable = hash !== undefined && hash.every((columns) => columns.size > 0) ? hash : undefined;
    return {
      sql: `SELECT ${selectList(types.map((type, index) => read(column(index), type)))} FROM ${readMark(number)} AS t`,
      types,
      distribution:
        share === 'all' ? REPLICATED : { kind: 'divided', hash: share === 'partition' ? usable : undefined },
      commons: [],
      estimatedRows: rows,
      scans: [],
      reads: [{ number, stage, share }],
      operators: [`read ${stage.stage.id}`],
      origins: types.map(() => undefined),
      stored: stage,
      isRowwise: share === 'all',
      isOneRow: false,
    };
  }

  /** Whether that many rows are better read whole by every task than moved by hash. */
  isSmall(rows: number): boolean {
    return rows <= this.settings.broadcastRowsMax;
  }

  /** Whether rows are that many by estimate that it is not tried whether they are few. */
  isSurelyLarge(rows: number): boolean {
    return rows > this.settings.broadcastRowsMax * TRIAL_FACTOR;
  }

  /** All rows in every task that has the result. */
  replicate(fragment: Fragment, node: PlanNode, role: string): Fragment | undefined {
    if (fragment.distribution.kind === 'replicated') return fragment;
    if (fragment.stored !== undefined) return this.read(fragment.stored, 'all');
    const closed = this.close(fragment, node, role, { kind: 'files' });
    return closed && this.read(closed, 'all');
  }

  /** All rows in one task. */
  gather(fragment: Fragment, node: PlanNode, role = 'gather'): Fragment | undefined {
    return isDivided(fragment) ? this.replicate(fragment, node, role) : fragment;
  }

  /** Rows that went by hash: by their partitions, or in one task when they are few. */
  readPartitions(closed: ClosedStage): Fragment {
    return this.read(closed, this.isSmall(closed.rows) ? 'all' : 'partition');
  }
}

/** Rows that several nodes read. */
export type SharedRows =
  | { readonly kind: 'inline'; readonly fragment: Fragment }
  | { readonly kind: 'stage'; readonly stage: ClosedStage; readonly isDivided: boolean };

/** A common table, and its rows once it was opened; these are undefined while stages have to run first. */
interface CommonTable {
  readonly node: NodeOf<'cte'>;
  opened: { readonly rows: SharedRows | undefined } | undefined;
}
