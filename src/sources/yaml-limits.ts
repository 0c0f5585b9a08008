import { isUtf8 } from 'node:buffer';
import { Lexer } from 'yaml';

/** A file larger than this is no config file; as much as Linux gives one argument of a program. */
export const MAX_FILE_BYTES = 128 * 1024;

/**
 * The parser takes up to 10 µs for a token the way that the daemon runs, so this bounds its time; it
 * is also more than 900 lines with a key and a value each.
 */
const MAX_TOKENS = 8_000;

/** Brackets and braces inside each other; the deepest key of a service is at four. */
const MAX_NESTING = 64;

/** Why something is not given to the parser, and where (1-based). */
export interface Excess {
  /** `null` when it is about the file as a whole. */
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
}

/** Marks that the lexer puts between the pieces of the text; they stand for nothing in it. */
const DOCUMENT = '\u{2}';
const FLOW_END = '\u{18}';
const SCALAR = '\u{1f}';

/** Why bytes are no text of a reasonable size; `null` when they are. */
export function excessOfBytes(bytes: Buffer): Excess | null {
  if (bytes.length > MAX_FILE_BYTES) {
    const message = `expected at most ${MAX_FILE_BYTES / 1024} KiB, got ${bytes.length} bytes`;
    return { line: null, column: null, message };
  }
  const nulAt = bytes.indexOf(0);
  if (nulAt !== -1) {
    const message = 'expected text, got a NUL byte (is it a binary file, or UTF-16?)';
    return located(bytes.toString('latin1'), nulAt, message);
  }
  if (isUtf8(bytes)) return null;
  const message = 'expected UTF-8 text, got bytes that are none';
  return { line: firstForeignLine(bytes), column: 1, message };
}

/**
 * Why a text would take the parser long; `null` when it does not. Stops at the first token that is
 * too many, and what is inside of a string counts as one.
 */
export function excessOfText(text: string): Excess | null {
  let tokens = 0;
  let depth = 0;
  let offset = 0;
  let previous = '';
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (tokens > MAX_TOKENS) {
      return located(text, offset, `expected at most ${MAX_TOKENS} words, signs and line ends`);
    }
    if (previous !== SCALAR) depth = depthAfter(token, depth);
    if (depth > MAX_NESTING) {
      return located(text, offset, `expected less nesting (at most ${MAX_NESTING} brackets)`);
    }
    if (!isMark(token)) offset += token.length;
    previous = previous === SCALAR ? '' : token;
  }
  return null;
}

function depthAfter(token: string, depth: number): number {
  if (token === '[' || token === '{') return depth + 1;
  if (token === ']' || token === '}') return Math.max(depth - 1, 0);
  return token === FLOW_END ? 0 : depth;
}

function isMark(token: string): boolean {
  return token === DOCUMENT || token === FLOW_END || token === SCALAR;
}

function located(text: string, offset: number, message: string): Excess {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n'), message };
}

/** No byte of a longer character is a line end. */
function firstForeignLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; ; line += 1) {
    const end = bytes.indexOf('\n', start);
    if (end === -1 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}
