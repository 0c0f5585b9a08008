/**
 * The words that the daemon itself puts on services, in the order in which they are shown:
 * - `failed`: no more restarts until an operator starts it or its definition changes
 * - `backoff`: waiting for the next try
 * - `ot_killed`: a job's last run took longer than it may, and was stopped
 * - `user_stop`: an operator stopped it
 * - `user_start`: what runs was started by an operator
 * - `system_start`: what runs was started by the daemon
 * - `exit_ok`, `exit_err`: how the last run ended
 */
export const SYSTEM_FLAGS = [
  'failed',
  'backoff',
  'ot_killed',
  'user_stop',
  'user_start',
  'system_start',
  'exit_ok',
  'exit_err',
] as const;

export type SystemFlag = (typeof SYSTEM_FLAGS)[number];

export function isSystemFlag(word: string): word is SystemFlag {
  return SYSTEM_FLAGS.some((flag) => flag === word);
}
