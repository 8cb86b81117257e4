import { readFile } from 'node:fs/promises';
import { defaultGroupConfig, type GroupConfig, parseGroupConfig } from '@tutti/resource-groups';
import { ConfigError } from '@tutti/service';

/** Reads the resource groups; '' means one group for everybody. Throws ConfigError with everything that is wrong. */
export async function loadGroups(file: string): Promise<GroupConfig> {
  if (file === '') return defaultGroupConfig;
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new ConfigError([`resourceGroups.file: cannot read ${file}: ${error.message}`]);
  });
  const parsed = parseGroupConfig(text);
  if ('ok' in parsed) return parsed.ok;
  throw new ConfigError(parsed.problems.map((problem) => `${file}: ${problem}`));
}
