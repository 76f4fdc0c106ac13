import { levelOf, type Level } from './entry.ts';
import { fieldAt, MAY_BEGIN, SHORTEST_HEADER, withoutColours, type Field } from './pattern-field.ts';

/** What a line of a pattern layout begins with. */
export interface Header {
  readonly level: Level | undefined;
  readonly logger: string | undefined;
  readonly message: string;
}

/** Characters of a line that are read for its header, and fields of one. */
const LONGEST_HEADER = 600;
const MOST_FIELDS = 16;
/** Words that may stand where no field is known: a thread without brackets, the context that Flink's logback layout has. */
const MOST_CONTEXT = 3;

interface Reading {
  /** A day and a time of day: no other line begins so. */
  dated: boolean;
  timed: boolean;
  level: Level | undefined;
  logger: string | undefined;
  context: number;
  separated: boolean;
  /** What stands between the fields of a layout such as `time | level | logger | message`. */
  divider: string | undefined;
  /** Where the message begins, as far as is known. */
  message: number;
}

/**
 * Reads the header of a line, whatever fields the layout has and in whatever order: times, `[thread]`, level, logger, until
 * ` - ` or `: ` ends it. `undefined` for a line that has neither a date with a time, nor a time with a level, nor a level
 * with a logger and a separator.
 */
export function readHeader(line: string): Header | undefined {
  if (line.length < SHORTEST_HEADER || !MAY_BEGIN.test(line)) return undefined;
  const head = withoutColours(line.slice(0, LONGEST_HEADER));
  const reading = read(head);
  const { level, logger } = reading;
  const named = level !== undefined && logger !== undefined && reading.separated && reading.context === 0;
  if (!reading.dated && !(reading.timed && level !== undefined) && !named) return undefined;
  // One space belongs to the layout; what Python prints begins with more.
  const message = (head.slice(reading.message) + line.slice(LONGEST_HEADER)).replace(/^ /, '');
  return { level, logger, message: message.trimEnd() };
}

function read(head: string): Reading {
  const reading: Reading = {
    dated: false,
    timed: false,
    level: undefined,
    logger: undefined,
    context: 0,
    separated: false,
    divider: undefined,
    message: 0,
  };
  let at = 0;
  for (let count = 0; count < MOST_FIELDS; count += 1) {
    const field = fieldAt(head, at);
    if (field === undefined || !take(reading, field)) break;
    at = field.end;
  }
  return reading;
}

/** Whether the header may go on behind the field. */
function take(reading: Reading, field: Field): boolean {
  switch (field.kind) {
    case 'date':
    case 'time':
      if (reading.level !== undefined && reading.timed) return false;
      reading.dated ||= field.kind === 'date';
      reading.timed = true;
      break;
    case 'group':
      reading.level ??= levelOf(field.text);
      break;
    case 'rule':
    case 'number':
      if (reading.logger !== undefined) return false;
      break;
    case 'separator':
      return takeSeparator(reading, field);
    case 'word':
      return takeWord(reading, field);
  }
  if (reading.context === 0) reading.message = field.end;
  return true;
}

/** The first one behind a level or a logger ends the header, unless the layout has one between all fields. */
function takeSeparator(reading: Reading, { text, end }: Field): boolean {
  if (reading.message === 0) return false;
  // The first words of a message, and a dash in it.
  if (reading.context > 0 && reading.logger !== undefined && !reading.logger.includes('.')) {
    reading.logger = undefined;
    return false;
  }
  const divides = reading.level === undefined || (reading.divider === text && reading.logger === undefined);
  if (divides && reading.logger === undefined) {
    reading.divider ??= text;
    reading.context = 0;
  }
  reading.separated = !divides || reading.logger !== undefined;
  reading.message = end;
  return !reading.separated;
}

function takeWord(reading: Reading, { text, end }: Field): boolean {
  const word = /[:,]$/.test(text) ? text.slice(0, -1) : text;
  if (reading.level === undefined && isLevel(word, reading)) {
    reading.level = levelOf(word);
    reading.context = 0;
    reading.message = end;
    // `ERROR: message`
    reading.separated = text.endsWith(':') && reading.timed;
    return !reading.separated;
  }
  if (reading.logger !== undefined || !isLogger(word, reading)) {
    reading.context += 1;
    const mayGoOn = reading.level === undefined || reading.logger !== undefined || reading.divider !== undefined;
    return mayGoOn && reading.context <= MOST_CONTEXT;
  }
  reading.logger = word;
  const isName = word.includes('.') || reading.timed;
  reading.separated = text.endsWith(':') && isName;
  // A class alone, or the first word of a message? What comes behind it tells.
  if (word.includes('.') || reading.separated) reading.message = end;
  return !reading.separated;
}

/** One letter, or a word in small letters, is a level only where a time stands before it. */
function isLevel(word: string, { timed }: Reading): boolean {
  return levelOf(word) !== undefined && (timed || (word.length > 1 && word === word.toUpperCase()));
}

const LOGGER = /^[\p{L}_$][\p{L}\p{N}_$-]*(?:\.[\p{L}\p{N}_$-]+)*$/u;

/** In front of the level, and between dividers, only a name with dots is one. */
function isLogger(word: string, { level, divider }: Reading): boolean {
  return LOGGER.test(word) && ((level !== undefined && divider === undefined) || word.includes('.'));
}
