import * as z from 'zod/mini';

/** How a run ended, as it is printed. */
export const exitRow = z.object({
  kind: z.enum(['exited', 'signaled', 'launch_failed', 'unknown']),
  code: z.nullable(z.number()),
  signal: z.nullable(z.string()),
  message: z.string(),
  at_ms: z.number(),
});
