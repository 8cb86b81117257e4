// The planner program: a child process of the coordinator, so that a statement that is costly to plan harms nobody else.
import { runPlannerProcess } from '@tutti/engine/planner-program';

runPlannerProcess();
