import { isDeepStrictEqual } from 'node:util';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { valueAt } from '../model/config-issue.ts';
import type { Problem } from '../model/desired.ts';
import { isMap as isRawMap, Literal } from '../model/literal.ts';
import { parseYaml } from './yaml-document.ts';

/** What a definition's text becomes, or why it is left as it is. */
export type DefinitionEdit =
  | { readonly kind: 'edited'; readonly text: string }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly problems: readonly [Problem, ...Problem[]] };

/** Replaces `text.slice(from, to)`. */
interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * Sets `global.enabled` by the smallest change of the text: every other byte stays. What comes out is
 * read again and must say what went in but for that key; else nothing is changed. Pure; never throws.
 */
export function editEnabled(file: string, bytes: Buffer, enabled: boolean): DefinitionEdit {
  const { raw, problems, locate } = parseYaml(file, bytes);
  const [first, ...rest] = problems;
  if (first !== undefined) return { kind: 'refused', problems: [first, ...rest] };
  if (saysAlready(raw, enabled)) return { kind: 'unchanged' };
  const text = bytes.toString('utf8');
  for (const { from, to, text: inserted } of splicesOf(text, String(enabled))) {
    const edited = text.slice(0, from) + inserted + text.slice(to);
    if (isOnlyThat(file, raw, edited, enabled)) return { kind: 'edited', text: edited };
  }
  const message = `cannot be set to ${enabled} without changing more than that (the file is written in an unusual way, or shares it by an anchor): change it by hand`;
  return {
    kind: 'refused',
    problems: [locate({ path: ['global', 'enabled'], at: 'value', message })],
  };
}

function saysAlready(raw: unknown, enabled: boolean): boolean {
  const said = valueAt(raw, ['global', 'enabled']);
  // The default is true.
  return said === undefined ? enabled : isLiteral(said, enabled);
}

function isLiteral(value: unknown, wanted: boolean): boolean {
  return value instanceof Literal && value.value === wanted;
}

function isOnlyThat(file: string, before: unknown, edited: string, enabled: boolean): boolean {
  const { raw, problems } = parseYaml(file, Buffer.from(edited));
  if (problems.length > 0 || !isLiteral(valueAt(raw, ['global', 'enabled']), enabled)) return false;
  return isDeepStrictEqual(withoutEnabled(raw), withoutEnabled(before));
}

/** The document but for that key; nothing and an empty map mean the same, to all sections alike. */
function withoutEnabled(raw: unknown): unknown {
  if (raw !== null && !isRawMap(raw)) return raw;
  const { global, ...rest } = raw ?? {};
  if (global === undefined || global === null) return rest;
  if (!isRawMap(global)) return { ...rest, global };
  const { enabled: _, ...others } = global;
  return Object.keys(others).length === 0 ? rest : { ...rest, global: others };
}

/** Ways to set the key, the nicest first. Whether one does is for the caller to find out. */
function splicesOf(text: string, value: string): readonly Splice[] {
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false });
  const root = document.contents;
  if (!isMap(root)) return splicesWithoutRoot(text, document, value);
  const pair = pairOf(root, 'global');
  if (pair === undefined) return splicesWithoutGlobal(text, document, root, value);
  const global = pair.value;
  if (isMap(global)) return splicesInGlobal(text, pair, global, value);
  const flow = flowMap('enabled', value, isQuoted(pair.key));
  if (global === null) return insertAfter(pair.key, `: ${flow}`);
  const isEmpty = isScalar(global) && global.source === '';
  if (!isEmpty) return replace(global, flow);
  if (root.flow === true) return afterColon(text, pair, ` ${flow}`);
  return belowKey(text, pair, columnOf(text, startOf(pair.key)) + 2, value);
}

/** Nothing but comments, or a null. */
function splicesWithoutRoot(text: string, document: Document.Parsed, value: string) {
  const { contents } = document;
  const isWritten = isScalar(contents) && contents.source !== undefined && contents.source !== '';
  const flow = flowMap('global', flowMap('enabled', value, false), false);
  return isWritten ? replace(contents, flow) : atEnd(text, document, '', value);
}

function splicesWithoutGlobal(
  text: string,
  document: Document.Parsed,
  root: YAMLMap,
  value: string,
): readonly Splice[] {
  if (root.flow === true) {
    const quoted = isQuoted(root.items[0]?.key);
    return [intoFlow(text, root, entry('global', flowMap('enabled', value, quoted), quoted))];
  }
  const start = startOf(root);
  const indent = ' '.repeat(columnOf(text, start));
  const section = sectionLines(indent, value).join(eolOf(text));
  // Below what cannot be followed by more (a scalar that keeps its blank lines), it goes to the top.
  const onTop = { from: start, to: start, text: `${section.trimStart()}${eolOf(text)}${indent}` };
  return [...atEnd(text, document, indent, value), onTop];
}

function splicesInGlobal(text: string, pair: Pair, global: YAMLMap, value: string) {
  const enabled = pairOf(global, 'enabled');
  if (enabled !== undefined) return replace(enabled.value, value);
  if (global.flow === true) {
    const quoted = isQuoted(global.items[0]?.key ?? pair.key);
    return [intoFlow(text, global, entry('enabled', value, quoted))];
  }
  const start = startOf(global);
  const column = columnOf(text, start);
  const line = `enabled: ${value}${eolOf(text)}${' '.repeat(column)}`;
  return [...belowKey(text, pair, column, value), { from: start, to: start, text: line }];
}

function replace(node: unknown, text: string): readonly Splice[] {
  const range = isScalar(node) || isAlias(node) ? node.range : null;
  if (!range || range[0] === range[1]) return [];
  return [{ from: range[0], to: range[1], text }];
}

function insertAfter(node: unknown, text: string): readonly Splice[] {
  const at = isScalar(node) ? node.range?.[1] : undefined;
  return at === undefined ? [] : [{ from: at, to: at, text }];
}

function afterColon(text: string, { key }: Pair, inserted: string): readonly Splice[] {
  const at = text.indexOf(':', endOf(key)) + 1;
  return at === 0 ? [] : [{ from: at, to: at, text: inserted }];
}

/** A line of its own right below the key, so that comments stay with what they are about. */
function belowKey(text: string, { key }: Pair, column: number, value: string): readonly Splice[] {
  const eol = eolOf(text);
  const line = `${' '.repeat(column)}enabled: ${value}`;
  const at = text.indexOf('\n', endOf(key)) + 1;
  if (at > 0) return [{ from: at, to: at, text: `${line}${eol}` }];
  return [{ from: text.length, to: text.length, text: `${eol}${line}` }];
}

/** The section after everything else; before the end of the document where that is written. */
function atEnd(text: string, document: Document.Parsed, indent: string, value: string) {
  const eol = eolOf(text);
  const section = sectionLines(indent, value).join(eol);
  return [text.length, document.range[1]].map((at): Splice => {
    const isOpenLine = at > 0 && !/[\n\uFEFF]/.test(text.charAt(at - 1));
    return { from: at, to: at, text: isOpenLine ? `${eol}${section}` : `${section}${eol}` };
  });
}

function sectionLines(indent: string, value: string): readonly string[] {
  return [`${indent}global:`, `${indent}  enabled: ${value}`];
}

/** As the first entry: on a line of its own where the others have theirs. */
function intoFlow(text: string, map: YAMLMap, inserted: string): Splice {
  const open = startOf(map) + 1;
  const firstKey = map.items[0]?.key;
  if (firstKey === undefined) return { from: open, to: open, text: ` ${inserted} ` };
  const first = startOf(firstKey);
  const between = text.slice(open, first);
  // A comment or an anchor stays with the entry that it belongs to.
  if (/\S/.test(between)) return { from: open, to: open, text: ` ${inserted},` };
  const lineBreak = /\r?\n[ \t]*$/.exec(between)?.[0];
  return { from: first, to: first, text: `${inserted},${lineBreak ?? ' '}` };
}

function flowMap(name: string, value: string, quoted: boolean): string {
  return `{ ${entry(name, value, quoted)} }`;
}

function entry(name: string, value: string, quoted: boolean): string {
  return `${quoted ? `"${name}"` : name}: ${value}`;
}

/** JSON and those who write like it. */
function isQuoted(key: unknown): boolean {
  return isScalar(key) && key.type === 'QUOTE_DOUBLE';
}

function pairOf(map: YAMLMap, name: string): Pair | undefined {
  return map.items.find(({ key }) => isScalar(key) && key.value === name);
}

function startOf(node: unknown): number {
  return rangeOf(node)?.[0] ?? 0;
}

function endOf(node: unknown): number {
  return rangeOf(node)?.[1] ?? 0;
}

function rangeOf(node: unknown) {
  return isScalar(node) || isMap(node) || isAlias(node) ? node.range : null;
}

/** How far in an offset is, by characters; a byte order mark is none. */
function columnOf(text: string, offset: number): number {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return line.replace(/^\uFEFF/, '').length;
}

/** The file's own line ends, by its first. */
function eolOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}
