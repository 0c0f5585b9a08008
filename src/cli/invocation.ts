import type { MethodName, RequestOf, ResultOf } from '../rpc/contract.ts';

/** Where output goes. */
export interface Terminal {
  /** Infinite when it is not a terminal. */
  readonly columns: number;
  readonly colours: boolean;
}

export type Format = 'text' | 'json';

/** A command line, understood. */
export interface Invocation {
  readonly operands: readonly string[];
  /** Values of options by their long names; a boolean option that was given is `true`. */
  readonly values: Readonly<Record<string, string | true | undefined>>;
  readonly format: Format;
  readonly terminal: Terminal;
  readonly call: Call;
  readonly write: Write;
  /** The same for stderr: what people should know while a command goes on. */
  readonly complain: Write;
}

/**
 * Prints at once, for commands that go on; everything else is in their {@link Output}. Resolves
 * with false when nobody reads any more. From the first call on an interrupt ends with exit code 130.
 */
type Write = (text: string) => Promise<boolean>;

/** Asks the daemon. `timeoutMs` bounds the answer; `null` where the daemon bounds its own waiting. */
export type Call = <M extends MethodName>(
  method: M,
  params: RequestOf<M>,
  timeoutMs?: number | null,
) => Promise<ResultOf<M>>;

/** What a command has to say; written and flushed by pmctl.ts. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export type Run = (invocation: Invocation) => Promise<Output>;

/** Output of something that went well. */
export function printed(stdout: string): Output {
  return { stdout, stderr: '', exitCode: 0 };
}

/** A result as JSON, for machines. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
