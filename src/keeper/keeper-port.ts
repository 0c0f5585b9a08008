import type { CapturePaths } from '../logs/capture.ts';
import type { ProcessIdentity } from '../model/observation.ts';
import type { LaunchOrder } from './protocol.ts';

/** What the actuators have done by the keeper. */
export interface KeeperPort {
  /**
   * Starts a service's main process with its output captured; the same run again is the same process.
   * @throws ProcessmasterError `launch_failed` with its stage; `withdrawn` when no keeper was asked;
   *   `unreachable` when it is not known whether it was started
   */
  launch(order: LaunchOrder): Promise<ProcessIdentity>;
  /** Reads a service's FIFOs into its files. @throws ProcessmasterError when one cannot be opened */
  capture(name: string, runNumber: number, paths: CapturePaths): Promise<void>;
  /** Resolves when all that was written is in the files, or after `deadlineMs`. */
  drain(name: string, deadlineMs: number): Promise<void>;
  /** Stops reading; again is success. */
  detach(name: string): Promise<void>;
}
