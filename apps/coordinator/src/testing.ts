// For tests of other projects: the parts of a coordinator that need no process around them.
export { type Coordinator, type CoordinatorOptions, createCoordinator } from './coordinator.js';
export { relations, settings } from './settings.js';
// What a distributed query runs, without the cluster that runs it.
export { type ScheduleEffect, type ScheduleEvent, StageSchedule } from './core/stage-schedule.js';
export type { DistributionSettings } from './core/stage-settings.js';
export { workOf } from './query-plan.js';
export { SmallFiles } from './core/small-files.js';
export { StageWork } from './stage-work.js';
