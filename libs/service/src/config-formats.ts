import convict from 'convict';
import { parseDurationMs, parseSizeBytes } from '@tutti/base';
import { isAddressSpec } from './addresses.js';

const PORT_MAX = 65_535;

interface Format {
  readonly name: string;
  /** Reads a text; gives the text back when it is none of this kind, so that validate can complain. */
  readonly coerce: (text: string) => unknown;
  readonly holds: (value: unknown) => boolean;
  readonly must: string;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const items = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
const wholeNumber = (text: string): unknown => (/^\s*\d+\s*$/.test(text) ? Number(text) : text);
const quantity = (parse: (text: string) => number | undefined) => (text: string) =>
  text.trim() === '0' ? 0 : (parse(text) ?? text);

const FORMATS: readonly Format[] = [
  {
    name: 'tutti-duration',
    coerce: quantity(parseDurationMs),
    holds: isNumber,
    must: 'must be a duration such as 500ms, 1s or 5m',
  },
  {
    name: 'tutti-size',
    coerce: quantity(parseSizeBytes),
    holds: isNumber,
    must: 'must be a data size such as 512MB or 4GB',
  },
  { name: 'tutti-list', coerce: items, holds: isTexts, must: 'must be a list of texts' },
  {
    name: 'tutti-addresses',
    coerce: items,
    holds: (value) => isTexts(value) && value.every(isAddressSpec),
    must: 'must be a list of host:port or dns:NAME:PORT',
  },
  { name: 'tutti-text', coerce: (text) => text, holds: isText, must: 'must be a text' },
  {
    name: 'tutti-required-text',
    coerce: (text) => text,
    holds: (value) => isText(value) && value !== '',
    must: 'is required',
  },
  {
    name: 'tutti-count',
    coerce: wholeNumber,
    holds: (value) => Number.isSafeInteger(value) && isNumber(value),
    must: 'must be a whole number, 0 or more',
  },
  {
    name: 'tutti-port',
    coerce: wholeNumber,
    holds: (value) => Number.isInteger(value) && isNumber(value) && value <= PORT_MAX,
    must: `must be a port, 0 to ${PORT_MAX}`,
  },
  {
    name: 'tutti-flag',
    coerce: (text) => (text === 'true' ? true : text === 'false' ? false : text),
    holds: (value) => typeof value === 'boolean',
    must: 'must be true or false',
  },
];

let added = false;

/** Makes our formats known to convict, which keeps them for the whole process. */
export function addFormats(): void {
  if (added) return;
  added = true;
  for (const { name, coerce, holds, must } of FORMATS) {
    convict.addFormat({
      name,
      coerce,
      validate(value: unknown) {
        if (!holds(value)) throw new Error(must);
      },
    });
  }
}
