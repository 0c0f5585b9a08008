/** How text from elsewhere is shown. */
export interface NeutraliseOptions {
  /** Whether SGR colours stay (a terminal) or are taken out (`NO_COLOR`, a pipe). */
  readonly colours: boolean;
}

/**
 * Makes text that came from a service harmless for a terminal: tab, newline and colours pass, every
 * other control (ECMA-48 C0 and C1, so also the ESC of OSC and CSI, Unicode bidi controls and
 * invisible tags) becomes a visible glyph. Colours end where the text ends. Pure; never throws.
 */
export function neutralise(text: string, options: NeutraliseOptions = { colours: true }): string {
  // Most lines hold nothing of the kind, and are returned as they are.
  if (!HARMFUL.test(text)) return text;
  let coloured = false;
  const harmless = text.replace(SGR_OR_HARMFUL, (match) => {
    if (match.length === 1 || !match.endsWith('m')) return visible(match);
    if (conceals(match.slice(2, -1))) return visible('\x1b') + match.slice(1);
    if (!options.colours) return '';
    coloured = true;
    return match;
  });
  return coloured ? `${harmless}\x1b[0m` : harmless;
}

/** The same for a name or path: what would break its line, or colour it, is visible, too. */
export function neutraliseName(name: string): string {
  return name.replace(HARMFUL_IN_NAME, visible);
}

// C0 but tab and newline, DEL, C1; bidi and other invisible format characters, line and paragraph
// separators, lone surrogates, tags. Zero-width (non-)joiners stay: scripts and emoji need them.
const HARMFUL_CLASS =
  '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\p{Cs}\\u{e0000}-\\u{e007f}]';
const HARMFUL = new RegExp(HARMFUL_CLASS, 'u');
const HARMFUL_IN_NAME = new RegExp(`[\\t\\n]|${HARMFUL_CLASS}`, 'gu');
// Parameters are bounded: no terminal needs more, and a long run of digits is an attack on one.
const SGR_OR_HARMFUL = new RegExp(`\\u001b\\[[0-9;:]{0,60}m|${HARMFUL_CLASS}`, 'gu');

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** Whether an SGR's parameters hold 8 (conceal: text that cannot be seen), outside of a colour. */
function conceals(parameters: string): boolean {
  const codes = parameters.split(';');
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? '';
    if (/^0*8(:|$)/.test(code)) return true;
    // 38, 48 and 58 take a palette index (5;n) or three values (2;r;g;b) with them.
    if (/^0*[345]8$/.test(code)) at += Number(codes[at + 1]) === 2 ? 4 : 2;
  }
  return false;
}
