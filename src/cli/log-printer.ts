import { neutralise, neutraliseName } from '../lib/neutralise.ts';
import type { LogSourceRow } from '../rpc/log-rows.ts';
import type { Invocation } from './invocation.ts';
import type { LogLine } from './log-lines.ts';

/** How lines of several files are told apart. */
export interface PrintOptions {
  /** `heading`: the file's name, whenever it is another one; `label`: before each line. */
  readonly names: 'heading' | 'label' | 'none';
  /** As the service wrote it, controls and all. */
  readonly isRaw: boolean;
}

/** Prints lines, or each as one line of JSON. */
export class LogPrinter {
  readonly #invocation: Invocation;
  readonly #options: PrintOptions;
  readonly #isJson: boolean;
  #heading: LogSourceRow | null = null;
  count = 0;

  constructor(invocation: Invocation, options: PrintOptions) {
    this.#invocation = invocation;
    this.#options = options;
    this.#isJson = invocation.format === 'json' || invocation.values.json === true;
  }

  /** Resolves with false when nobody reads any more. */
  print(lines: readonly (LogLine | null)[]): Promise<boolean> {
    if (lines.length === 0) return Promise.resolve(true);
    return this.#invocation.write(lines.map((line) => this.#render(line)).join(''));
  }

  #render(line: LogLine | null): string {
    if (line === null) return this.#isJson ? '' : '--\n';
    this.count += 1;
    if (this.#isJson) return renderJson(line);
    const { names, isRaw } = this.#options;
    const text = isRaw ? line.text : neutralise(line.text, this.#invocation.terminal);
    if (names === 'label') return `${label(line.source)}: ${text}\n`;
    return names === 'heading' ? `${this.#headingOf(line.source)}${text}\n` : `${text}\n`;
  }

  #headingOf(source: LogSourceRow): string {
    if (source === this.#heading) return '';
    const gap = this.#heading === null ? '' : '\n';
    this.#heading = source;
    return `${gap}==> ${neutraliseName(source.path)} <==\n`;
  }
}

function label({ application, path, stream }: LogSourceRow): string {
  const name = stream === 'hint' ? path.slice(path.lastIndexOf('/') + 1) : stream;
  return `${application} ${neutraliseName(name)}`;
}

function renderJson({ source: { application, stream, path }, text, atMs }: LogLine): string {
  const time = atMs === null ? null : new Date(atMs).toISOString();
  return `${JSON.stringify({ application, stream, path, time, line: text })}\n`;
}
