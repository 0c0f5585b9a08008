import type { ConsoleUser } from '../../model/console-config.ts';

/** PEM. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  /** Whose certificates clients must have; `null`: they need none. */
  readonly ca: string | null;
}

/** What the daemon tells its console at its start, over a pipe: nothing of it is in a file or an argument. */
export interface ConsoleSettings {
  readonly bind: string;
  readonly port: number;
  readonly users: readonly ConsoleUser[];
  /** Begins and ends with a slash. */
  readonly basePath: string;
  readonly metricsToken: string | null;
  /** Names that clients may use beside this host's own. */
  readonly hosts: readonly string[];
  readonly tls: TlsMaterial | null;
}
