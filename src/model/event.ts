import type { Actor } from './intent.ts';
import type { ServiceName } from './service-name.ts';

/** One recorded fact about a service (or the daemon, when `service` is null). */
export interface ServiceEvent {
  readonly atMs: number;
  readonly service: ServiceName | null;
  /** Dotted and stable, for machines: `service.started`, `daemon.stopping`. */
  readonly kind: string;
  /** For people; never holds a secret. */
  readonly message: string;
  /** Who or what caused it: an operator, `supervisor`, `source`, `daemon`. */
  readonly actor: Actor;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

/** An event as the journal numbers it; `seq` grows by one. */
export type RecordedEvent = ServiceEvent & { readonly seq: number };
