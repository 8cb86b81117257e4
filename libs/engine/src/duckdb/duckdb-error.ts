import { didYouMean, nearestNames, statementError, type StatementError, type StatementErrorReason } from '@tutti/sql';

/** An error of DuckDB, taken apart. Connections have errors_as_json on, so that this needs no guessing. */
export interface DuckdbError {
  /** For example Parser, Binder, Catalog, Conversion, Out of Memory, INTERRUPT. */
  readonly type: string;
  readonly message: string;
  /** All that the engine said, with the advice that `message` leaves out. */
  readonly detail: string;
  /** From 0: characters for parser errors, bytes for all others. */
  readonly position: number | undefined;
  readonly subtype: string;
  /** What kind of entry is missing, for example "Scalar Function". */
  readonly entryType: string;
  readonly name: string;
  readonly candidates: readonly string[];
}

/** Reads any error that a call of DuckDB threw. */
export function readDuckdbError(error: unknown): DuckdbError {
  const text = error instanceof Error ? error.message : String(error);
  const json = text.indexOf('{');
  if (json !== -1) {
    try {
      return fromFields(JSON.parse(text.slice(json)) as Record<string, string | undefined>);
    } catch {
      // Not an error in JSON after all: the text is all there is.
    }
  }
  const [, type = '', message = text] = /^(?:[^:]*: )??([A-Za-z ]+) Error: ([^]*)$/.exec(text) ?? [];
  const none = { position: undefined, subtype: '', entryType: '', name: '', candidates: [] };
  return { type, message: tidy(message), detail: message, ...none };
}

function fromFields(fields: Record<string, string | undefined>): DuckdbError {
  const position = Number(fields['position'] ?? NaN);
  return {
    type: fields['exception_type'] ?? '',
    message: tidy(fields['exception_message'] ?? ''),
    detail: fields['exception_message'] ?? '',
    position: Number.isSafeInteger(position) ? position : undefined,
    subtype: fields['error_subtype'] ?? '',
    entryType: fields['type'] ?? '',
    name: fields['name'] ?? '',
    candidates: (fields['candidates'] ?? '').split(/,(?![^(]*\))/).filter((name) => name !== ''),
  };
}

/** Takes out advice that does not apply here, such as settings that nobody can change, and lists of candidates. */
function tidy(message: string): string {
  const cut = message.search(
    /\n+(?:Possible solutions|See also|Did you mean|Candidate|By default, this setting|LINE \d+:|\* )|\s+Use "SET/,
  );
  return (cut === -1 ? message : message.slice(0, cut)).replace(/\n\tCandidate functions:[^]*$/, '').trim();
}

/**
 * What an error at parse or bind time means to the one who wrote `statement`. `columns` are names that a misspelled
 * column may have been meant to be.
 */
export function toStatementError(error: DuckdbError, statement: string, columns: readonly string[]): StatementError {
  const unit = error.type === 'Parser' ? 'characters' : 'bytes';
  const offset = error.position === undefined ? undefined : ({ at: error.position, unit } as const);
  const say = (reason: StatementErrorReason, message: string) => statementError(reason, message, statement, offset);
  const { type, message } = error;

  if (type === 'Parser') return say('SYNTAX_ERROR', sentence(message));
  if (error.subtype === 'COLUMN_NOT_FOUND') {
    const near = nearestNames(error.name, new Set([...columns, ...error.candidates]));
    return say(
      'COLUMN_NOT_FOUND',
      didYouMean(`Column "${error.name}" does not exist in the tables of this query.`, near),
    );
  }
  const [, table, column] = /^(?:Values list|Table) "(.*)" does not have a column named "(.*)"$/.exec(message) ?? [];
  if (column !== undefined)
    return say('COLUMN_NOT_FOUND', didYouMean(`"${table}" has no column "${column}".`, nearestNames(column, columns)));
  if (/^Column ".*" (?:does not exist|in \w+ list not found)/.test(message)) {
    const name = /^Column "(.*?)"/.exec(message)?.[1] ?? '';
    return say('COLUMN_NOT_FOUND', didYouMean(sentence(message), nearestNames(name, columns)));
  }
  if (error.subtype === 'MISSING_ENTRY') {
    const kind = error.entryType.toLowerCase().replace(/^scalar /, '');
    const text = didYouMean(
      `${capital(kind)} "${error.name}" does not exist.`,
      nearestNames(error.name, error.candidates),
    );
    if (kind.includes('function') || kind.includes('macro')) return say('FUNCTION_NOT_FOUND', text);
    return say(kind === 'table' ? 'TABLE_NOT_FOUND' : 'INVALID_STATEMENT', text);
  }
  if (TYPE_MISMATCH.test(message) || type === 'Conversion' || type === 'Mismatch Type')
    return say('TYPE_MISMATCH', withCandidates(message, error.candidates));
  if (type === 'Permission')
    return say(
      'PERMISSION_DENIED',
      'Queries cannot read files; they read tables of the catalogs. SHOW TABLES lists them.',
    );
  if (type === 'Not implemented' || error.subtype === 'UNSUPPORTED') return say('NOT_SUPPORTED', sentence(message));
  if (type === 'Out of Memory')
    return say(
      'EXCEEDED_LOCAL_MEMORY_LIMIT',
      'Planning this statement needs too much memory. Shorten it, or make its constants smaller.',
    );
  if (type === 'INTERNAL' || type === 'FATAL')
    return say(
      'INTERNAL_ERROR',
      'The engine failed while it planned this statement. Write it in another way, and report it.',
    );
  return say('INVALID_STATEMENT', sentence(message));
}

const TYPE_MISMATCH =
  /^(?:No function matches|Could not choose a best candidate|Cannot (?:compare|mix|combine|cast)|Could not convert|Unimplemented type for cast|Failed to cast)/;

function withCandidates(message: string, candidates: readonly string[]): string {
  const call = /'(.+)'\. You might need|call "(.+)"\. In order/.exec(message);
  const name = call?.[1] ?? call?.[2];
  if (name === undefined) return sentence(message);
  const known =
    candidates.length === 0
      ? ''
      : ` It takes ${candidates
          .slice(0, 4)
          .join(' or ')
          .replace(/ -> \w+/g, '')}.`;
  const readable = name.replaceAll('STRING_LITERAL', 'VARCHAR').replaceAll('INTEGER_LITERAL', 'INTEGER');
  return `There is no ${readable}: the types do not fit.${known} Add a CAST to the right type.`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const sentence = (text: string): string => `${capital(text.replace(/[.!\s]+$/, ''))}.`;
