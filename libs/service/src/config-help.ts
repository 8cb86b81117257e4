import type { FlatSetting } from './config-names.js';

/** What --help prints: every setting with its names, its default and its meaning. */
export function helpText(program: string, settings: readonly FlatSetting[]): string {
  const rows = settings.map((setting) => ({
    flag: `--${setting.arg}`,
    default: defaultOf(setting),
    env: setting.env,
    doc: Array.isArray(setting.format) ? `${setting.doc} (${setting.format.join(', ')})` : setting.doc,
  }));
  const width = (column: 'flag' | 'default' | 'env') => Math.max(...rows.map((row) => row[column].length));
  const [flagWidth, defaultWidth, envWidth] = [width('flag'), width('default'), width('env')];
  return [
    `usage: ${program} [--config FILE] [--SETTING VALUE ...] [--check-config]`,
    '',
    'Settings come from, in order of rising priority: a JSON or YAML file (--config FILE or TUTTI_CONFIG), the',
    'environment, the command line. Durations are written as 500ms, 1s, 5m; sizes as 512MB, 4GB; lists with commas.',
    '--check-config says whether all of them are right, and ends.',
    '',
    ...rows.map((row) =>
      [row.flag.padEnd(flagWidth), row.default.padEnd(defaultWidth), row.env.padEnd(envWidth), row.doc].join('  '),
    ),
  ].join('\n');
}

function defaultOf(setting: FlatSetting): string {
  if (setting.default === null) return 'required';
  if (setting.sensitive === true) return '-';
  const shown = Array.isArray(setting.default) ? setting.default.join(',') : String(setting.default);
  return shown === '' ? '-' : shown;
}
