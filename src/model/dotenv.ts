import type { Variable } from './service-spec.ts';

/** What an `env_file` says, or the first line of it that is wrong; never with anything of its content. */
export type DotenvReading =
  | { readonly ok: true; readonly variables: readonly Variable[] }
  | { readonly ok: false; readonly line: number; readonly message: string };

/** More variables than this are no environment. */
export const MAX_DOTENV_VARIABLES = 1_000;

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  '\\': '\\',
  $: '$',
};
const NAME = /(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)=/y;

/**
 * Reads the text of an `env_file`. Each line is empty, a comment (`#`), or `NAME=VALUE`, optionally after
 * `export`. A value is
 * - bare: up to the end of the line or a `#` after a blank, without blanks around it; every character
 *   stands for itself;
 * - in single quotes: up to the next one, also over several lines; every character stands for itself;
 * - in double quotes: alike, but `\n \r \t \" \\ \$` are escapes, and other backslashes are mistakes.
 *
 * Nothing is expanded. The last of several lines with one name counts, in the place of the first.
 */
export function parseDotenv(text: string): DotenvReading {
  const cursor = new Cursor(text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n'));
  const values = new Map<string, string>();
  try {
    for (;;) {
      cursor.skip(/[ \t\n]*/y);
      if (cursor.isAtEnd) break;
      if (cursor.skip(/#[^\n]*/y) !== '') continue;
      const name = nameAt(cursor);
      values.set(name, valueAt(cursor));
      if (values.size > MAX_DOTENV_VARIABLES) {
        throw cursor.fail(`more than ${MAX_DOTENV_VARIABLES} variables`);
      }
    }
  } catch (error) {
    if (error instanceof SyntaxFault)
      return { ok: false, line: error.line, message: error.message };
    throw error;
  }
  return { ok: true, variables: [...values].map(([name, value]) => ({ name, value })) };
}

function nameAt(cursor: Cursor): string {
  const name = cursor.match(NAME)?.[1];
  if (name === undefined) {
    throw cursor.fail(
      'expected NAME=VALUE (a name of letters, digits, "_", "." and "-", no blanks before "=")',
    );
  }
  return name;
}

function valueAt(cursor: Cursor): string {
  cursor.skip(/[ \t]*/y);
  if (cursor.skip(/'/y) !== '') return closed(cursor, contentAt(cursor, /([^']*)'/y));
  if (cursor.skip(/"/y) !== '') {
    const from = cursor.at;
    return closed(cursor, unescaped(cursor, contentAt(cursor, /((?:[^"\\]|\\[\s\S])*)"/y), from));
  }
  const [, bare = ''] = /^(.*?)(?:(?:^|[ \t])#.*)?$/s.exec(cursor.skip(/[^\n]*/y)) ?? [];
  return withoutTrailingBlanks(bare);
}

/** A regular expression would try at each of many blanks within. */
function withoutTrailingBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && ' \t'.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

function contentAt(cursor: Cursor, upToQuote: RegExp): string {
  const content = cursor.match(upToQuote)?.[1];
  if (content === undefined) throw cursor.fail('the quote that is opened here is not closed');
  return content;
}

function closed(cursor: Cursor, value: string): string {
  if (cursor.match(/[ \t]+#[^\n]*|[ \t]*(?=\n|$)/y) !== null) return value;
  throw cursor.fail('expected the end of the line, or a comment, after the closing quote');
}

/** `from` is where `text` begins. */
function unescaped(cursor: Cursor, text: string, from: number): string {
  return text.replace(/\\([\s\S])/g, (_, character: string, at: number) => {
    const meant = ESCAPES[character];
    if (meant !== undefined) return meant;
    const message = 'a backslash within double quotes begins one of \\n \\r \\t \\" \\\\ \\$';
    throw cursor.fail(message, from + at);
  });
}

class SyntaxFault extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Where in a text one is. Patterns are sticky. */
class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at += found[0].length;
    return found;
  }

  /** What it went past; may be empty. */
  skip(pattern: RegExp): string {
    return this.match(pattern)?.[0] ?? '';
  }

  fail(message: string, at = this.#at): SyntaxFault {
    return new SyntaxFault(this.#text.slice(0, at).split('\n').length, message);
  }
}
