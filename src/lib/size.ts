import { type Parsed, parsed, unparsed } from './parsed.ts';

const POWERS = ['', 'k', 'm', 'g', 't', 'p'];

const EXPECTED = 'a size such as 64MiB, 10m, 1GiB or a number of bytes';

/** What {@link parseSize} understands, and `5i` and fractions of bytes. */
export const SIZE_GRAMMAR = /^(\d+(?:\.\d+)?)([kmgtpKMGTP]?)([iI]?)[bB]?$/;

/**
 * Reads a size as bytes: `64MiB` and `64Mi` are binary, `10m` and `10MB` decimal, a plain number
 * is bytes; letters in any case, fractions rounded down to whole bytes.
 */
export function parseSize(text: string): Parsed<number> {
  const match = SIZE_GRAMMAR.exec(text);
  const [, amount, prefix = '', binary] = match ?? [];
  // "5i" and "1.5" (bytes) mean nothing.
  if (amount === undefined || (prefix === '' && (binary !== '' || amount.includes('.')))) {
    return unparsed(EXPECTED);
  }
  const base = binary === '' ? 1000 : 1024;
  const bytes = Math.floor(Number(amount) * base ** POWERS.indexOf(prefix.toLowerCase()));
  return Number.isSafeInteger(bytes) ? parsed(bytes) : unparsed(EXPECTED);
}

/** Writes whole bytes in the same grammar, exactly: 10_000_000 is `10m`, 1_048_576 is `1048576`. */
export function formatSize(bytes: number): string {
  const power = POWERS.findLastIndex((_prefix, index) => bytes % 1000 ** index === 0);
  return bytes === 0 ? '0' : `${bytes / 1000 ** power}${POWERS[power] ?? ''}`;
}
