import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { runProgram } from './programs.ts';
import { waitFor } from './wait-for.ts';

const TMUX = '/usr/bin/tmux';

/** A command on a real terminal, which tmux draws: what is pressed and what is seen. */
export class Terminal {
  /** A server of its own, without the user's settings; it ends with its last command. */
  readonly #server = `pmtest-${process.pid}-${randomBytes(4).toString('hex')}`;

  /** Ends with the test. `env` is all that the command's shell has. */
  static async run(
    command: string,
    env: Readonly<Record<string, string>>,
    { columns = 120, rows = 30 } = {},
  ): Promise<Terminal> {
    const terminal = new Terminal();
    onTestFinished(() => terminal.end());
    const size = ['-x', String(columns), '-y', String(rows)];
    await terminal.#tmux(['new-session', '-d', '-s', 'test', ...size, command], env);
    return terminal;
  }

  /** Keys by the names of tmux(1), `C-c` and `Enter` among them. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux(['send-keys', '-t', 'test', ...keys]);
  }

  /** Text as it stands, key by key. */
  async type(text: string): Promise<void> {
    await this.#tmux(['send-keys', '-t', 'test', '-l', text]);
  }

  async resize(columns: number, rows: number): Promise<void> {
    const size = ['-x', String(columns), '-y', String(rows)];
    await this.#tmux(['resize-window', '-t', 'test', ...size]);
  }

  /** What is on the screen, a line each, without what is blank at their ends. */
  async screen(): Promise<string> {
    return this.#tmux(['capture-pane', '-p', '-t', 'test']);
  }

  /** Waits until the screen shows this. */
  async shows(text: string | RegExp, deadlineMs = 20_000): Promise<string> {
    const read = async () => {
      const screen = await this.screen();
      return (typeof text === 'string' ? screen.includes(text) : text.test(screen)) && screen;
    };
    return waitFor(read, { what: `the terminal to show ${text}`, deadlineMs });
  }

  async end(): Promise<void> {
    await runProgram(TMUX, ['-L', this.#server, 'kill-server'], { env: process.env });
  }

  async #tmux(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
    const all = ['-L', this.#server, '-f', '/dev/null', '-u', ...args];
    const { code, stdout, stderr } = await runProgram(TMUX, all, { env });
    if (code !== 0) throw new Error(`tmux ${args[0]}: ${stderr}`);
    return stdout;
  }
}
