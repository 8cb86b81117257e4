// For tests of other projects: the parts of a coordinator that need no process around them.
export { type Coordinator, type CoordinatorOptions, createCoordinator } from './coordinator.js';
export { relations, settings } from './settings.js';
