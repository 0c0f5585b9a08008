/** Who asked: `local` for the unix socket, a console user's name otherwise. */
export type Actor = string;

/**
 * What an operator last asked for, kept apart from the spec. Ids grow by one with each request, so
 * "was this run started after that request" is answered without a clock.
 */
export interface Intent {
  readonly id: number;
  readonly want: 'run' | 'stop';
  /** `pmctl start --force`: run although `global.enabled` is false. */
  readonly forced: boolean;
  /** A run that began before this request is to be replaced. */
  readonly restart: boolean;
  readonly actor: Actor;
  readonly requestedAtMs: number;
}
