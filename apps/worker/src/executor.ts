// The executor program: a child process of the worker that runs one task at a time.
import { runExecutorProcess } from '@tutti/engine/executor-program';

runExecutorProcess();
