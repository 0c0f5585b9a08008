import type { OwnMetrics as OwnMetricsReading } from '../api/ports.ts';
import { readOwnUsage } from '../host/own-usage.ts';
import { Counts } from './counts.ts';
import { LoopDelay } from './loop-delay.ts';

/** What the daemon knows of itself. */
export class OwnMetrics {
  readonly counts: Counts = new Counts();
  readonly loopDelay: LoopDelay = new LoopDelay();

  /** @throws when /proc is not there */
  read(): OwnMetricsReading {
    return {
      ...readOwnUsage(),
      loopDelayMs: this.loopDelay.worstMs,
      events: this.counts.events(),
      slots: this.counts.slots(),
    };
  }
}
