import type { Manifests } from '../manifests.js';
import * as contents from './contents.js';
import * as hardening from './hardening.js';
import * as operations from './operations.js';
import * as references from './references.js';

/** Looks at the objects of one built kustomization and lists what is wrong with them. */
export type Check = (manifests: Manifests) => string[];

/** Every check, by name. */
export const checks: Readonly<Record<string, Check>> = { ...references, ...hardening, ...operations, ...contents };
