import type { Exit } from '../model/history.ts';

/** How a run ended, as the journal kept it; `null` when it says nothing of that kind. */
export function parseExit(value: unknown): Exit | null {
  if (typeof value !== 'object' || value === null) return null;
  const { kind, code, signal, stage, message, reason } = value as Partial<Record<string, unknown>>;
  if (kind === 'exited' && typeof code === 'number') return { kind, code };
  if (kind === 'signaled' && typeof signal === 'string') return { kind, signal };
  if (kind === 'launch_failed' && typeof stage === 'string' && typeof message === 'string') {
    return { kind, stage, message };
  }
  return kind === 'unknown' && typeof reason === 'string' ? { kind, reason } : null;
}
