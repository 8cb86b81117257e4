export { groupConfigVersion } from './group-config-version.js';
export { GroupFile, type GroupFileOptions, type LoadedGroups } from './group-file.js';
export { groupFileSetting } from './group-file-setting.js';
export { selectResourceGroup } from './select-resource-group-service.js';
