import { neutralise } from '../lib/neutralise.ts';
import { displayWidth } from './display-width.ts';
import type { Terminal } from './invocation.ts';

const COLOUR_CODES = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;

export type Colour = keyof typeof COLOUR_CODES;

/** The text in a colour, where colours are wanted. */
export function paint(text: string, colour: Colour | null, terminal: Terminal): string {
  if (colour === null || !terminal.colours || text === '') return text;
  return `\x1b[${COLOUR_CODES[colour]}m${text}\x1b[0m`;
}

/** Text from elsewhere, harmless and on one line. */
export function oneLine(text: string): string {
  return neutralise(text, { colours: false }).replace(/[\n\t]+/g, ' ');
}

/** The text cut to a width, ending in `...` when something is missing. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const dots = '.'.repeat(Math.min(3, width));
  let kept = '';
  for (const character of text) {
    if (displayWidth(kept + character) + dots.length > width) break;
    kept += character;
  }
  return kept + dots;
}

/** The text in lines of at most `width` columns, broken between words where that is possible. */
export function wrap(text: string, width: number): readonly string[] {
  if (displayWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((long) => chop(long, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (displayWidth(longer) <= width) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function chop(word: string, width: number): readonly string[] {
  if (displayWidth(word) <= width) return [word];
  const pieces: string[] = [];
  let piece = '';
  for (const character of word) {
    if (piece !== '' && displayWidth(piece + character) > width) {
      pieces.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...pieces, piece];
}
