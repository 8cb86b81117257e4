export { runPlannerProcess } from './planner/planner-process.js';
