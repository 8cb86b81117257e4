import * as coordinator from '@tutti/coordinator-app/testing';
import * as resourceManager from '@tutti/resource-manager-app/testing';
import { type ConfigOf, loadConfig, type Settings } from '@tutti/service';
import * as worker from '@tutti/worker-app/testing';
import type { Program } from './setting-check.js';

const ADDRESS = ['--resource-managers-addresses', '127.0.0.1:9090'];

function program<S extends Settings>(
  title: string,
  settings: S,
  relations: (config: ConfigOf<S>) => Readonly<Record<string, boolean>>,
): Program {
  const config = loadConfig(settings, { argv: ADDRESS, env: {}, relations, program: title });
  return { title, settings, relations: Object.keys(relations(config)) };
}

/** The roles, as they read their configuration. */
export const programs: readonly Program[] = [
  program('Resource manager', resourceManager.settings, resourceManager.relations),
  program('Coordinator', coordinator.settings, coordinator.relations),
  program('Worker', worker.settings, worker.relations),
];
