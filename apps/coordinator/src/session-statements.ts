// SET SESSION, RESET SESSION and SHOW SESSION. Nothing is kept here: the answer says what the client is to send from now on.
import type { PlanOutcome } from '@tutti/engine';
import { likePattern, parseSessionStatement, type PlacedText, statementError } from '@tutti/sql';
import {
  checkProperty,
  checkPropertyName,
  distributionSettings,
  propertyValue,
  SESSION_PROPERTIES,
  type SessionChange,
  type SessionProperties,
} from './core/session-properties.js';
import type { DistributionSettings } from './core/stage-settings.js';

export interface SessionAnswer {
  readonly outcome: Extract<PlanOutcome, { kind: 'rows' | 'error' }>;
  readonly change: SessionChange | undefined;
}

/** What a session has, and what holds where it sets nothing. */
export interface SessionSettings {
  readonly properties: SessionProperties;
  readonly defaults: DistributionSettings;
}

/** The answer to a statement about the session; undefined when it is none. */
export function answerSessionStatement(text: string, session: SessionSettings): SessionAnswer | undefined {
  const parsed = parseSessionStatement(text);
  if (parsed === undefined) return undefined;
  if ('error' in parsed) return { outcome: { kind: 'error', error: parsed.error }, change: undefined };
  const statement = parsed.ok;
  switch (statement.kind) {
    case 'setSession': {
      const known = checkPropertyName(statement.name.text);
      if ('problem' in known) return refused(known.problem, text, statement.name);
      const checked = checkProperty(known.ok, statement.value.text);
      if ('problem' in checked) return refused(checked.problem, text, statement.value);
      const { name, value } = checked.ok;
      return changed({ set: { [name]: value }, reset: [] });
    }
    case 'resetSession': {
      const checked = checkPropertyName(statement.name.text);
      if ('problem' in checked) return refused(checked.problem, text, statement.name);
      return changed({ set: {}, reset: [checked.ok] });
    }
    case 'showSession': {
      const keep = statement.like === undefined ? () => true : likePattern(statement.like);
      return { outcome: listed(session, keep), change: undefined };
    }
  }
}

function listed({ properties, defaults }: SessionSettings, keep: (name: string) => boolean): SessionAnswer['outcome'] {
  const settings = distributionSettings(properties, defaults);
  const shown = SESSION_PROPERTIES.filter(({ name }) => keep(name));
  return {
    kind: 'rows',
    columns: ['Name', 'Value', 'Default', 'Allowed', 'Description'].map(varchar),
    rows: shown.map(({ name, allowed, help }) => [
      name,
      propertyValue(name, settings),
      propertyValue(name, defaults),
      allowed,
      help,
    ]),
  };
}

/** It has no columns: nothing is mixed with the results of the statements around it. */
const changed = (change: SessionChange): SessionAnswer => ({
  outcome: { kind: 'rows', columns: [], rows: [] },
  change,
});

const refused = (problem: string, text: string, { at }: PlacedText): SessionAnswer => ({
  outcome: { kind: 'error', error: statementError('INVALID_ARGUMENT', problem, text, { at, unit: 'utf16' }) },
  change: undefined,
});

const varchar = (name: string) => ({ name, type: 'VARCHAR' });
