import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLError,
} from 'yaml';
import { messageOf } from '../lib/errors.ts';
import { type ConfigIssue, formatKeyPath, MAX_ISSUES } from '../model/config-issue.ts';
import type { Problem } from '../model/desired.ts';
import { Literal } from '../model/literal.ts';
import { yamlComplaint } from './yaml-complaints.ts';
import { type Excess, excessOfBytes, excessOfText } from './yaml-limits.ts';

/** Enough for any config by hand; too few for a bomb, as nested aliases count each time. */
const MAX_ALIASES = 32;

/** What aliases stand for counts each time. */
const MAX_VALUES = 8_000;

/** A parsed file: plain values (see {@link Literal}) that know where they were written. */
export interface YamlDocument {
  /** Strings, Literals, null, lists, and maps without a prototype. */
  readonly raw: unknown;
  /** Problems of the text itself; then `raw` holds what could be read all the same. */
  readonly problems: readonly Problem[];
  /** Puts issues at their lines and columns. */
  readonly locate: (issue: ConfigIssue) => Problem;
}

/**
 * Reads YAML 1.2 bytes. Nothing about the bytes makes it throw or take long: a file that is too
 * large, not text, not one document, or a bomb comes back with problems.
 */
export function parseYaml(file: string, bytes: Buffer): YamlDocument {
  const excess = excessOfBytes(bytes);
  if (excess !== null) return unreadable(file, excess);
  const text = bytes.toString('utf8');
  const lines = new LineCounter();
  try {
    const tooMuch = excessOfText(text);
    if (tooMuch !== null) return unreadable(file, tooMuch);
    const document = withoutStackTraces(() =>
      parseDocument(text, {
        lineCounter: lines,
        prettyErrors: false,
        // Compared pairwise by the library, which takes minutes for a large map: see convertMap.
        uniqueKeys: false,
      }),
    );
    return new DocumentReader(file, document, lines).read();
  } catch (error) {
    const message = yamlComplaint('', messageOf(error));
    return unreadable(file, { line: 1, column: 1, message });
  }
}

/** A text can make the parser create thousands of errors, and a trace is most of what each costs. */
function withoutStackTraces<T>(act: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return act();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function unreadable(file: string, excess: Excess): YamlDocument {
  const problem: Problem = { file, keyPath: '', ...excess };
  return {
    raw: null,
    problems: [problem],
    locate: (issue) => ({ ...problem, message: issue.message }),
  };
}

class DocumentReader {
  readonly #file: string;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #problems: Problem[] = [];
  /** By anchor, the last one above the node that is being converted (YAML 1.2.2 §7.1). */
  readonly #anchored = new Map<string, Node>();
  /** The library looks for an anchor through the whole document, each time. */
  readonly #targets = new Map<Alias, Node>();
  #aliases = 0;
  /** The targets of the aliases that are being converted. */
  readonly #open = new Set<unknown>();
  #values = 0;

  constructor(file: string, document: Document.Parsed, lines: LineCounter) {
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
  }

  read(): YamlDocument {
    const { errors, warnings } = this.#document;
    this.#complain([...errors, ...warnings]);
    const { explicit, version } = this.#document.directives.yaml;
    if (explicit === true && version !== '1.2') {
      this.#problems.push(this.#problem(0, '', `expected YAML 1.2, got %YAML ${version}`));
    }
    const raw = this.#convert(this.#document.contents, []);
    return {
      raw,
      problems: this.#problems.slice(0, MAX_ISSUES),
      locate: (issue) => this.#locate(issue),
    };
  }

  /** Once a line: what follows from the first of them is no news. */
  #complain(errors: readonly YAMLError[]): void {
    const lines = new Set<number>();
    for (const { code, message, pos } of errors.slice(0, MAX_ISSUES)) {
      const problem = this.#problem(pos[0], '', yamlComplaint(code, message));
      if (lines.size !== lines.add(problem.line).size) this.#problems.push(problem);
    }
  }

  #convert(node: unknown, path: readonly PropertyKey[]): unknown {
    this.#values += 1;
    if (this.#values > MAX_VALUES) {
      if (this.#values > MAX_VALUES + 1) return null;
      return this.#refuse(node, path, `expected at most ${MAX_VALUES} values`);
    }
    if (isAlias(node)) return this.#convertAlias(node, path);
    this.#noteAnchor(node);
    if (isMap(node)) return this.#convertMap(node.items, path);
    if (isSeq(node)) return node.items.map((item, index) => this.#convert(item, [...path, index]));
    if (!isScalar(node)) return null;
    const isBinary = typeof node.value === 'object' && node.value !== null;
    return isBinary
      ? this.#refuse(
          node,
          path,
          `expected text, got a value tagged as ${node.tag?.replace(/^tag:yaml.org,2002:/, '!!')}`,
        )
      : plain(node);
  }

  #noteAnchor(node: unknown): void {
    const isNode = isMap(node) || isSeq(node) || isScalar(node);
    if (isNode && node.anchor !== undefined) this.#anchored.set(node.anchor, node);
  }

  #convertAlias(node: Alias, path: readonly PropertyKey[]): unknown {
    this.#aliases += 1;
    if (this.#aliases > MAX_ALIASES) {
      if (this.#aliases > MAX_ALIASES + 1) return null;
      return this.#refuse(node, path, `expected at most ${MAX_ALIASES} aliases`);
    }
    const target = this.#anchored.get(node.source);
    if (target === undefined) {
      const advice = 'put a value that begins with * in quotes';
      const message = `expected an anchor above, got none for *${node.source} (${advice})`;
      return this.#refuse(node, path, message);
    }
    if (this.#open.has(target)) {
      return this.#refuse(
        node,
        path,
        `expected what is complete, got *${node.source} within itself`,
      );
    }
    this.#targets.set(node, target);
    this.#open.add(target);
    const value = this.#convert(target, path);
    this.#open.delete(target);
    return value;
  }

  #convertMap(
    items: readonly { readonly key: unknown; readonly value: unknown }[],
    path: readonly PropertyKey[],
  ): unknown {
    // Without a prototype "__proto__" and "constructor" are keys like any other.
    const map: Record<string, unknown> = Object.create(null);
    for (const { key, value } of items) {
      this.#noteAnchor(key);
      const name = keyText(key);
      if (name === undefined || name === '__proto__') {
        this.#refuse(key, path, 'expected a plain word as the key');
      } else if (Object.hasOwn(map, name)) {
        this.#refuse(key, path, `expected each key once, got ${JSON.stringify(name)} again`);
      } else {
        map[name] = this.#convert(value, [...path, name]);
      }
    }
    return map;
  }

  /** The key or value that an issue is about, else the nearest thing that is there. */
  #locate(issue: ConfigIssue): Problem {
    const isUnknownKey = issue.at === 'key' && issue.message.startsWith('unknown key');
    const keyPath = formatKeyPath(isUnknownKey ? issue.path.slice(0, -1) : issue.path);
    let node: unknown = this.#document.contents;
    let offset = offsetOf(node);
    for (const [depth, step] of issue.path.entries()) {
      const container = this.#resolved(node);
      const pair = isMap(container)
        ? container.items.find((item) => keyText(item.key) === step)
        : undefined;
      node = isSeq(container) && typeof step === 'number' ? container.items[step] : pair?.value;
      if (node === undefined) break;
      const isTheValue = depth === issue.path.length - 1 && issue.at === 'value';
      const keyOffset = offsetOf(pair?.key);
      offset = (isTheValue ? offsetOf(node) : keyOffset) ?? keyOffset ?? offsetOf(node) ?? offset;
    }
    return this.#problem(offset, keyPath, issue.message);
  }

  #resolved(node: unknown): unknown {
    return isAlias(node) ? this.#targets.get(node) : node;
  }

  #refuse(node: unknown, path: readonly PropertyKey[], message: string): null {
    this.#problems.push(this.#problem(offsetOf(node), formatKeyPath(path), message));
    return null;
  }

  #problem(offset: number | undefined, keyPath: string, message: string) {
    const { line, col } = this.#lines.linePos(offset ?? 0);
    return {
      file: this.#file,
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      keyPath,
      message,
    };
  }
}

function plain(node: Scalar): unknown {
  const { value, source } = node;
  const isLiteral = typeof value === 'number' || typeof value === 'boolean';
  return isLiteral ? new Literal(value, source ?? String(value)) : value;
}

/** In the order of the file. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

/** What a key reads: its text as written, also for `1:` and `true:`. */
function keyText(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  return typeof key.value === 'string' ? key.value : key.source;
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)
    ? node.range?.[0]
    : undefined;
}
