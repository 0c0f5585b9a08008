import { type Parsed, parsed, unparsed } from '../lib/parsed.ts';

/** What the value of a variable, as a definition writes it, stands for. */
export type EnvironmentValue =
  | { readonly kind: 'literal'; readonly text: string }
  /** Written encoded; `text` is what it decodes to. */
  | { readonly kind: 'encoded'; readonly text: string }
  /** The content of a file, read at each start. Relative paths are the working directory's. */
  | { readonly kind: 'file'; readonly path: string };

/** For a JSON Schema: all that can be told of a value without decoding it. */
export const ENVIRONMENT_VALUE_PATTERN =
  '^(?!@(?:file|base64|hex)://)|^@file://[\\s\\S]|^@hex://(?:[0-9a-fA-F]{2})*$' +
  '|^@base64://(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$';

const INDIRECTION = /^@(file|base64|hex):\/\/(.*)$/s;

/**
 * Takes the value of a variable apart: `@file://PATH`, `@base64://…` and `@hex://…` stand for something
 * else, everything else for itself. What is expected otherwise never shows the value.
 */
export function parseEnvironmentValue(value: string): Parsed<EnvironmentValue> {
  const [, scheme, rest = ''] = INDIRECTION.exec(value) ?? [];
  if (scheme === 'base64') return decoded(rest, scheme, 'base64 (RFC 4648, padded, one line)');
  if (scheme === 'hex') return decoded(rest, scheme, 'pairs of hexadecimal digits');
  if (scheme === undefined) return parsed({ kind: 'literal', text: value });
  return rest === '' ? unparsed('a path after @file://') : parsed({ kind: 'file', path: rest });
}

/** Bytes as the text that an environment can carry: UTF-8 without NUL. */
export function environmentText(bytes: Uint8Array): Parsed<string> {
  const text = utf8(bytes);
  return text === null || text.includes('\0') ? unparsed('UTF-8 text without NUL') : parsed(text);
}

/** Node decodes what it can and leaves out the rest: only what encodes to the same was written right. */
function decoded(
  text: string,
  encoding: 'base64' | 'hex',
  expected: string,
): Parsed<EnvironmentValue> {
  const bytes = Buffer.from(text, encoding);
  const written = encoding === 'hex' ? text.toLowerCase() : text;
  if (bytes.toString(encoding) !== written) {
    return unparsed(`${expected} after @${encoding}://`);
  }
  const content = environmentText(bytes);
  return content.ok
    ? parsed({ kind: 'encoded', text: content.value })
    : unparsed(`${content.expected} encoded after @${encoding}://`);
}

function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
