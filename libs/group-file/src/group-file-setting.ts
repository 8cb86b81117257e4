import { text } from '@tutti/service';

/** The setting resourceGroups.file, the same for all who keep to the groups. */
export const groupFileSetting = text(
  '',
  "Resource groups and selectors, in Presto's JSON; read again when it changes. '' means one group that takes everybody",
);
