import { statNoFollow } from '../host/safe-open.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { LogSettings } from '../model/service-spec.ts';
import { RotatingFile } from './rotating-file.ts';

export interface RotateWhenFullPorts {
  readonly clock: Clock;
  readonly onTrouble: (message: string) => void;
}

/**
 * Puts a file aside that a process is about to append to by itself, when it is full or its time is
 * over. Does not throw: what is in the way is told, and the file is written on.
 */
export function rotateWhenFull(
  path: string,
  settings: LogSettings,
  ports: RotateWhenFullPorts,
): void {
  const file = new RotatingFile(path, settings, {
    ...ports,
    // The keeper counts and compresses it with the service's other files.
    budgetBytes: () => Number.POSITIVE_INFINITY,
    onRotated: () => {},
  });
  try {
    if (statNoFollow(path) === null) return;
    file.open();
    file.rotateWhenDue();
  } catch (error) {
    ports.onTrouble(`cannot look at '${path}': ${messageOf(error)}`);
  } finally {
    file.close();
  }
}
