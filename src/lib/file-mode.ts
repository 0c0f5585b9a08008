import { type Parsed, parsed, unparsed } from './parsed.ts';

const EXPECTED = 'an octal file mode such as 0660';

/** What {@link parseFileMode} understands. */
export const FILE_MODE_GRAMMAR = /^(?:0o)?0*([0-7]{1,4})$/;

/**
 * Reads the text of a file mode, which is octal however it is written: `660`, `0660`, `0o660`.
 * YAML 1.2 would read the first two as decimal numbers, so this wants the scalar's source text.
 */
export function parseFileMode(text: string): Parsed<number> {
  const digits = FILE_MODE_GRAMMAR.exec(text)?.[1];
  return digits === undefined ? unparsed(EXPECTED) : parsed(Number.parseInt(digits, 8));
}

/** Four octal digits: 0o660 is `0660`. */
export function formatFileMode(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
