export { runExecutorProcess } from './executor/executor-process.js';
