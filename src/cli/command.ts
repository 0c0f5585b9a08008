/** What a command of pmctl is, as help, parsing, completion and dispatch know it. */
import type { Run } from './invocation.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** What a value looks like, for options that take one. */
  readonly value?: string;
  /** What it means without one; left out where it needs one. */
  readonly alone?: string;
  readonly help: string;
}

export type Options = Readonly<Record<string, Option>>;

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Operands, as in usage lines. */
  readonly operands: string;
  readonly leastOperands: number;
  readonly mostOperands: number;
  readonly options: Options;
  readonly example: string;
  /** For programs, not for people: help does not list it. */
  readonly isHidden?: true;
  /** `null` for help, which is made from this very table. */
  readonly load: (() => Promise<{ readonly run: Run }>) | null;
}

/** Options of every command; they may also stand before its name. */
export const COMMON_OPTIONS: Options = {
  sock: { type: 'string', short: 's', value: 'PATH', help: "the daemon's unix socket" },
  format: { type: 'string', value: 'text|json', help: 'how to print (default: text)' },
  output: { type: 'string', short: 'o', value: 'text|json', help: 'the same as --format' },
  help: { type: 'boolean', short: 'h', help: 'show this help' },
};
