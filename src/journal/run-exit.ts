import type { Exit } from '../model/history.ts';
import type { OutOfMemory } from '../model/out-of-memory.ts';

/** How a run ended, as the journal kept it; `null` when it says nothing of that kind. */
export function parseExit(value: unknown): Exit | null {
  if (typeof value !== 'object' || value === null) return null;
  const { kind, code, signal, stage, message, reason, outOfMemory } = value as Partial<
    Record<string, unknown>
  >;
  if (kind === 'exited' && typeof code === 'number') return { kind, code };
  if (kind === 'signaled' && typeof signal === 'string') {
    const lost = isOutOfMemory(outOfMemory) ? { outOfMemory } : {};
    return { kind, signal, ...lost };
  }
  if (kind === 'launch_failed' && typeof stage === 'string' && typeof message === 'string') {
    return { kind, stage, message };
  }
  return kind === 'unknown' && typeof reason === 'string' ? { kind, reason } : null;
}

/** Written by this program, into a file that only root may write: its kind is all that may differ. */
function isOutOfMemory(value: unknown): value is OutOfMemory {
  return typeof value === 'object' && value !== null && 'kills' in value && 'victims' in value;
}
