/** How values of a spec are shown: one line, no secrets, not longer than people read. Pure. */

const SECRET_NAME = /PASS|SECRET|TOKEN|KEY|CREDENTIAL|AUTH/i;
const MASKED = '***';

/** So many characters of a value are shown. */
const MAX_SHOWN = 120;
/** So many characters of what two long values have in common, before they differ. */
const SHOWN_IN_COMMON = 20;

/** An old and a new value; `null` where there is none. */
export interface ShownPair {
  readonly before: string | null;
  readonly after: string | null;
}

/** Whether a variable of that name most likely holds what nobody is to read. */
function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * The value of a variable as it may be shown: nothing of one whose name tells of a secret, nothing of a
 * password within a URL, nothing of what is written encoded.
 */
export function maskedValue(name: string, value: string): string {
  // Where a secret is kept is none.
  if (value === '' || value.startsWith('@file://')) return value;
  if (isSecretName(name)) return MASKED;
  const scheme = /^@(?:base64|hex):\/\//.exec(value)?.[0];
  if (scheme !== undefined) return scheme + MASKED;
  return value.replace(/(:\/\/[^\s/:@]*):[^\s/@]+@/g, `$1:${MASKED}@`);
}

/** The same as JSON, where anything of it is left. */
export function maskedPart(name: string, value: string): string {
  const masked = maskedValue(name, value);
  return masked === MASKED ? masked : JSON.stringify(masked);
}

/** Two values that differ, and nothing of them. */
export function unseenPair(): ShownPair {
  return { before: MASKED, after: MASKED };
}

/** Both values cut to what differs between them. */
export function shortenPair({ before, after }: ShownPair): ShownPair {
  const from = Math.max(commonStart(before ?? '', after ?? '') - SHOWN_IN_COMMON, 0);
  return { before: before && shorten(before, from), after: after && shorten(after, from) };
}

function shorten(text: string, from: number): string {
  if (text.length <= MAX_SHOWN) return text;
  const shown = text.slice(from, from + MAX_SHOWN);
  const end = from + MAX_SHOWN < text.length ? '…' : '';
  return `${from > 0 ? '…' : ''}${shown}${end} (${text.length} characters)`;
}

function commonStart(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}
