export {
  type Catalog,
  type CatalogColumn,
  type CatalogSchema,
  type CatalogTable,
  type CsvOptions,
  FILE_EXTENSIONS,
  type JsonOptions,
  type TableFormat,
  type TableSource,
} from './catalog.js';
export { type CatalogDecoding, decodeCatalog } from './catalog-decoder.js';
export { parseColumnType } from './column-type.js';
export {
  ALLOWED_TABLE_FUNCTIONS,
  type AstInspection,
  inspectAst,
  refuseTable,
  type TableReference,
} from './ast-gate.js';
export { type OffsetUnit, type Position, positionAt } from './error-position.js';
export { likePattern } from './like-pattern.js';
export { nearestNames } from './nearest-names.js';
export { answerFromCatalogs, type CatalogStatement, describeColumns, type TextRows } from './own-answers.js';
export type { NamePath } from './own-parser.js';
export { parseSessionStatement, type PlacedText, type SessionStatement } from './own-session.js';
export { classifyStatement, type OwnStatement, type StatementKind } from './own-statements.js';
export {
  didYouMean,
  type StatementError,
  statementError,
  type StatementErrorReason,
  type TextOffset,
} from './statement-error.js';
export { refuseStatement } from './statement-kinds.js';
export {
  findCatalog,
  findSchema,
  findTables,
  fullTableName,
  type NamedTable,
  type NameProblem,
  type Session,
} from './table-names.js';
export { isOrderedType, orderedValue } from './splits/ordered-value.js';
export { pruneSplits } from './splits/prune-splits.js';
export { divideSplits, joinSplits, shareSplits } from './splits/share-splits.js';
export type { ColumnRange, ColumnRanges, Split } from './splits/split.js';
export { type TableSize, tableSizeOf } from './splits/table-size.js';
export type { CutOutcome, CutSettings, ScanBound, Stage, StageFacts, StageRead, StageScan } from './stages/stage.js';
export { engineLines } from './plan/engine-lines.js';
export { isMomentary } from './plan/momentary.js';
export { decodePlan, type PlannedTable } from './plan/decode-plan.js';
export { columnsOf, expressionSql, sameExpression } from './plan/expression-sql.js';
export { fromCarrier, isLossless, toCarrier } from './plan/exchange-type.js';
export { type AggregateParts, decompose } from './plan/aggregate-parts.js';
export { typeFromPlan } from './plan/plan-type.js';
export type { DecodedPlan, PlanNode, PlanType } from './plan/plan.js';
export { cut } from './stages/cut.js';
export { tasksForRows } from './stages/task-count.js';
export { boundsOfTask, isWithin, taskSql } from './stages/task-ranges.js';
export { explainStages, explainWhole, stageLines } from './stages/explain-stages.js';
export { JsonNumber, type LosslessJson, type LosslessObject, parseLossless } from './plan/lossless-json.js';
