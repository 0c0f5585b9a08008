import { type Parsed, parsed, unparsed } from './parsed.ts';

const EXPECTED = 'a number of CPUs such as 1.5, thousandths of one such as 100m, or MAX';

/** What {@link parseCpu} understands, but for MAX, and 0. */
export const CPU_GRAMMAR = /^(\d+)(m)$|^(\d+(?:\.\d{1,3})?)$/;

/** Reads `100m` (thousandths of a CPU), `1.5` (CPUs) or `MAX` as thousandths; `null` is unlimited. */
export function parseCpu(text: string): Parsed<number | null> {
  if (text.toUpperCase() === 'MAX') return parsed(null);
  const match = CPU_GRAMMAR.exec(text);
  if (match === null) return unparsed(EXPECTED);
  const milliCpus = match[2] === 'm' ? Number(match[1]) : Math.round(Number(match[3]) * 1000);
  return Number.isSafeInteger(milliCpus) && milliCpus > 0 ? parsed(milliCpus) : unparsed(EXPECTED);
}
