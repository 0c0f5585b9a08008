import { isUtf8 } from 'node:buffer';
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
  type YAMLError,
} from 'yaml';
import { messageOf } from '../lib/errors.ts';
import { type ConfigIssue, formatKeyPath, MAX_ISSUES } from '../model/config-issue.ts';
import type { Problem } from '../model/desired.ts';
import { Literal } from '../model/literal.ts';
import { yamlComplaint } from './yaml-complaints.ts';

/** A file larger than this is no config file. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** Enough for any config by hand; too few for a bomb, as nested aliases count each time. */
const MAX_ALIASES = 32;

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
  const complaint = complaintAbout(bytes);
  if (complaint !== null) return unreadable(file, complaint);
  const lines = new LineCounter();
  try {
    const document = parseDocument(bytes.toString('utf8'), {
      lineCounter: lines,
      prettyErrors: false,
      // Compared pairwise by the library, which takes minutes for a large map: see convertMap.
      uniqueKeys: false,
    });
    return new DocumentReader(file, document, lines).read();
  } catch (error) {
    return unreadable(file, `cannot be parsed: ${messageOf(error)}`);
  }
}

function complaintAbout(bytes: Buffer): string | null {
  if (bytes.length > MAX_FILE_BYTES) return 'expected at most 1 MiB, got more';
  if (bytes.includes(0)) return 'expected text, got a NUL byte (is it a binary file, or UTF-16?)';
  return isUtf8(bytes) ? null : 'expected UTF-8 text, got bytes that are none';
}

function unreadable(file: string, message: string): YamlDocument {
  const problem: Problem = { file, line: null, column: null, keyPath: '', message };
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
  #aliases = 0;
  /** The targets of the aliases that are being converted. */
  readonly #open = new Set<unknown>();

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
    if (isAlias(node)) return this.#convertAlias(node, path);
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

  #convertAlias(node: Alias, path: readonly PropertyKey[]): unknown {
    this.#aliases += 1;
    if (this.#aliases > MAX_ALIASES) {
      if (this.#aliases > MAX_ALIASES + 1) return null;
      return this.#refuse(node, path, `expected at most ${MAX_ALIASES} aliases`);
    }
    const target = this.#resolved(node);
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
    return isAlias(node) ? node.resolve(this.#document) : node;
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
