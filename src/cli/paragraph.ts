import type { Terminal } from './invocation.ts';
import { cut, paint, wrap } from './text.ts';

/** Narrower than this nothing is readable; it is wrapped by the terminal then. */
const LEAST_WIDTH = 20;

/** A titled part of a page; nothing at all without a body. */
export function section(title: string, body: string, terminal: Terminal): string {
  return body === '' ? '' : `\n${paint(title, 'bold', terminal)}\n${body}`;
}

/** Lines that are wrapped below their own beginning; of more than `most` the rest is cut off. */
export function hang(
  head: string,
  text: string,
  terminal: Terminal,
  most = Number.POSITIVE_INFINITY,
): readonly string[] {
  const width = Math.max(terminal.columns - head.length, LEAST_WIDTH);
  const lines = wrap(text, width);
  const shown = lines.slice(0, most);
  const last = shown.length - 1;
  return shown.map((line, index) => {
    const isCut = index === last && lines.length > most;
    const whole = isCut ? cut(`${line} ...`, width) : line;
    return `${index === 0 ? head : ' '.repeat(head.length)}${whole}\n`;
  });
}
