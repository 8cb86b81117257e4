export { type TestFiles, writeTestFiles } from './files.js';
export { type LocalPlanner, openLocalPlanner } from './local-planner.js';
export { type LocalTask, LocalTasks } from './local-tasks.js';
export { plannerProgram, executorProgram } from './programs.js';
export { planOrThrow, readAll } from './results.js';
export { runStages, type RunStagesOptions, type StagesRun, type StageTable } from './run-stages.js';
export { type PlannedStageTable, StagePlanner } from './stage-planner.js';
export { type Comparison, StageTrial, type StageTrialOptions } from './stage-trial.js';
export { WatchedLog } from './watched-log.js';
