/** In so many steps a wait is taken: one that was slept through counts for no more than itself. */
const STEPS = 5;

/**
 * Calls `onOver` when about `waitMs` were spent waiting by a process that itself was awake: after it
 * was stopped or suspended, what came meanwhile is read before the next step. The result cancels it.
 */
export function wakefully(waitMs: number, onOver: () => void): () => void {
  let left = STEPS;
  const step = () => {
    left -= 1;
    if (left === 0) onOver();
    else timer = setTimeout(step, waitMs / STEPS);
  };
  let timer = setTimeout(step, waitMs / STEPS);
  return () => clearTimeout(timer);
}
