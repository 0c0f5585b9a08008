import { type Logger, pino } from 'pino';
import type { ServiceEvent } from '../model/event.ts';
import { LogOutput } from './log-output.ts';

/** The daemon's own log: JSON lines on standard output, for journald or a terminal. */
export function createLogger(): Logger {
  return pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    new LogOutput(),
  );
}

const WARNINGS =
  /\.(failed|launch-failed|action-failed|invalid|conflict|held|degraded|unavailable|warning)$/;

/** Writes one event as a log line: the kind is the constant message, facts are fields. */
export function logEvent(logger: Logger, event: ServiceEvent): void {
  const level = WARNINGS.test(event.kind) ? 'warn' : 'info';
  const service = event.service === null ? {} : { service: event.service };
  logger[level](
    { ...service, ...event.data, actor: event.actor, detail: event.message },
    event.kind,
  );
}
