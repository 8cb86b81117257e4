// For tests of other projects: a whole resource manager without its ports. Mount its routes on memoryTransport or on a
// test server.
export { createResourceManager, type ResourceManager, type ResourceManagerOptions } from './resource-manager.js';
export { relations, type Settings, settings } from './settings.js';
