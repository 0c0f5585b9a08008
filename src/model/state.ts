/**
 * The states of a service: desired × observed.
 *
 * What is wanted is one of four words, computed from definition, intent and shutdown:
 *
 * - `run`     the spec is enabled (or an operator forced it on) and no operator stopped it;
 * - `stop`    disabled, stopped by an operator, or the daemon is shutting down;
 * - `remove`  no definition names it any more;
 * - `hold`    there never was a good definition: nothing is started, nothing is stopped.
 *
 * What is observed is the cgroup: `populated`, `empty`, `absent`, `unknown`, and whether the
 * launched process is still on its way into it (`launching`).
 *
 * | wanted ↓ observed → | populated                         | launching   | empty, absent                 | unknown |
 * |---------------------|-----------------------------------|-------------|-------------------------------|---------|
 * | run                 | leave it; stop it first when its  | wait for it | start, wait out the backoff,  | look    |
 * |                     | spec changed or a restart was     |             | or stay down: FAILED, or the  | again   |
 * |                     | asked for                         |             | policy wants no restart       |         |
 * | stop                | request, grace, kill, kill again  | wait for it | remove the cgroup             | look    |
 * | remove              | like stop                         | like stop   | remove the cgroup, forget     | look    |
 * | hold                | leave it                          | wait for it | nothing                       | look    |
 *
 * A job that is wanted to `run` is started by its slots and by an operator instead, see
 * reconciler/plan-job.ts; a change of its spec waits for its next run.
 *
 * A stop once begun is finished before anything else is considered, so a start that arrives
 * meanwhile waits for it; it is finished when the cgroup is not populated and its stop command, too,
 * has ended. Stopped is `populated 0`, nothing else.
 */
import type { DesiredService } from './desired.ts';
import type { Intent } from './intent.ts';

export type Wanted =
  | { readonly kind: 'run' }
  | {
      readonly kind: 'stop';
      readonly why: 'operator' | 'disabled' | 'shutdown';
      readonly reason: string;
    }
  | { readonly kind: 'remove'; readonly reason: string }
  | { readonly kind: 'hold' };

/** What is wanted of a service. `desired` is null when no source defines it. */
export function wantedOf(
  desired: DesiredService | null,
  intent: Intent | null,
  shuttingDown: boolean,
): Wanted {
  if (shuttingDown) return { kind: 'stop', why: 'shutdown', reason: 'the daemon is shutting down' };
  if (desired === null) return { kind: 'remove', reason: 'its definition was removed' };
  if (intent?.want === 'stop') {
    const why = intent.reason === null ? '' : `: ${intent.reason}`;
    return { kind: 'stop', why: 'operator', reason: `stopped by ${intent.actor}${why}` };
  }
  if (desired.accepted === null) return { kind: 'hold' };
  const forcedOn = intent?.forced === true;
  if (!desired.accepted.spec.enabled && !forcedOn) {
    return { kind: 'stop', why: 'disabled', reason: 'global.enabled is false' };
  }
  return { kind: 'run' };
}
