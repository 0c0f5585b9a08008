import type { ConsoleUser } from '../../model/console-config.ts';

/** What the daemon tells its console at its start, over a pipe: nothing of it is in a file or an argument. */
export interface ConsoleSettings {
  readonly bind: string;
  readonly port: number;
  readonly users: readonly ConsoleUser[];
  /** Begins and ends with a slash. */
  readonly basePath: string;
  readonly metricsToken: string | null;
}
