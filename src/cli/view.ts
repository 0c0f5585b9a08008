import { neutralise } from '../lib/neutralise.ts';
import type { Terminal } from './invocation.ts';

/** What rendering needs to know of the terminal. */
export interface View extends Terminal {
  /** Columns that a text takes. */
  readonly widthOf: (text: string) => number;
}

const NOT_ASCII = /[^\n\x20-\x7e]/;
const COLOUR_CODES = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;

export type Colour = keyof typeof COLOUR_CODES;

/**
 * Renders, counting columns as characters; again with real widths when the text turns out to hold
 * more than ASCII, so that the table of widths is loaded only then.
 */
export async function renderFor(terminal: Terminal, render: (view: View) => string) {
  const plain = render({ ...terminal, colours: false, widthOf: (text) => text.length });
  if (!NOT_ASCII.test(plain)) {
    return terminal.colours ? render({ ...terminal, widthOf: (text) => text.length }) : plain;
  }
  const { default: stringWidth } = await import('string-width');
  return render({ ...terminal, widthOf: (text) => stringWidth(text) });
}

/** The text in a colour, where colours are wanted. */
export function paint(text: string, colour: Colour | null, view: View): string {
  if (colour === null || !view.colours || text === '') return text;
  return `\x1b[${COLOUR_CODES[colour]}m${text}\x1b[0m`;
}

/** Text from elsewhere, harmless and on one line. */
export function oneLine(text: string): string {
  return neutralise(text, { colours: false }).replace(/[\n\t]+/g, ' ');
}

/** The text cut to a width, ending in `...` when something is missing. */
export function cut(text: string, width: number, view: View): string {
  if (view.widthOf(text) <= width) return text;
  const dots = '.'.repeat(Math.min(3, width));
  let kept = '';
  for (const character of text) {
    if (view.widthOf(kept + character) + dots.length > width) break;
    kept += character;
  }
  return kept + dots;
}

/** The text in lines of at most `width` columns, broken between words where that is possible. */
export function wrap(text: string, width: number, view: View): readonly string[] {
  if (view.widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((long) => chop(long, width, view))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (view.widthOf(longer) <= width) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function chop(word: string, width: number, view: View): readonly string[] {
  if (view.widthOf(word) <= width) return [word];
  const pieces: string[] = [];
  let piece = '';
  for (const character of word) {
    if (piece !== '' && view.widthOf(piece + character) > width) {
      pieces.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...pieces, piece];
}
