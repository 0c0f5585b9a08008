import { formatDuration } from '../lib/duration.ts';
import { ProcessmasterError } from '../lib/errors.ts';
import type { Actor } from '../model/intent.ts';
import type { ServiceName } from '../model/service-name.ts';
import { MOST_FLAGS, parseUserFlag, type UserFlag, withFlags } from '../model/user-flag.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { CallContext } from '../rpc/dispatch.ts';
import type { ApiPorts } from './ports.ts';
import { select } from './select.ts';
import { type Verdict, verdict } from './verdict.ts';

/**
 * Puts flags on services, all of them or, where they would be too many, none.
 * @throws ProcessmasterError `invalid_argument` for what is no name of a flag, `not_found`
 */
export function setFlags(
  ports: ApiPorts,
  { names, flags, ttl_ms }: ParamsOf<'flags.set'>,
  { actor }: CallContext,
): ResultOf<'flags.set'> {
  const setAtMs = ports.clock.wallMs();
  const expiresAtMs = ttl_ms === null ? null : setAtMs + ttl_ms;
  const added = [...new Set(flags)].map((text) => ({
    ...{ name: readFlag(text), expiresAtMs, setAtMs, actor },
  }));
  return forEach(ports, names, (service) => setOn(ports, service, added, ttl_ms));
}

/**
 * Takes flags off services; one that is not there is gone already.
 * @throws ProcessmasterError `not_found`
 */
export function clearFlags(
  ports: ApiPorts,
  { names, flags }: ParamsOf<'flags.clear'>,
  { actor }: CallContext,
): ResultOf<'flags.clear'> {
  return forEach(ports, names, (service) => clearOn(ports, service, flags, actor));
}

function forEach(
  ports: ApiPorts,
  names: readonly string[],
  change: (service: ServiceName) => Verdict,
): ResultOf<'flags.set'> {
  const selected = select(ports.statuses(), names);
  return { services: selected.map(({ status: { name } }) => ({ name, ...change(name) })) };
}

function setOn(
  ports: ApiPorts,
  service: ServiceName,
  added: readonly UserFlag[],
  ttlMs: number | null,
): Verdict {
  const before = ports.userFlags(service);
  const news = added.filter((flag) => !before.some((one) => isSame(one, flag)));
  const list = added.map(({ name }) => name).join(', ');
  if (news.length === 0) return verdict('unchanged', `flagged already: ${list}`);
  const after = withFlags(before, news);
  if (after.length > MOST_FLAGS) {
    const why = `it would have ${after.length} flags, and ${MOST_FLAGS} is the most`;
    return verdict('refused', `${why} (pmctl unflag ${service} takes some away)`);
  }
  ports.saveUserFlags(service, after);
  const span = ttlMs === null ? '' : ` for ${formatDuration(ttlMs)}`;
  for (const flag of news) {
    tell(ports, service, 'operator.flag', flag, `flag '${flag.name}' set${span} by ${flag.actor}`);
  }
  return verdict('done', `flagged${span}: ${list}`);
}

function clearOn(
  ports: ApiPorts,
  service: ServiceName,
  flags: readonly string[],
  actor: Actor,
): Verdict {
  const before = ports.userFlags(service);
  const gone = before.filter(({ name }) => flags.includes('all') || flags.includes(name));
  if (gone.length === 0) return verdict('unchanged', `not flagged: ${flags.join(', ')}`);
  ports.saveUserFlags(
    service,
    before.filter((flag) => !gone.includes(flag)),
  );
  for (const flag of gone) {
    const message = `flag '${flag.name}' taken away by ${actor}`;
    tell(ports, service, 'operator.unflag', { ...flag, actor }, message);
  }
  return verdict('done', `no longer flagged: ${gone.map(({ name }) => name).join(', ')}`);
}

/** Set again for good is no change; set again for a time is a new end. */
function isSame(one: UserFlag, other: UserFlag): boolean {
  return one.name === other.name && one.expiresAtMs === other.expiresAtMs;
}

function readFlag(text: string): string {
  const read = parseUserFlag(text);
  if (read.ok) return read.value;
  const message = `cannot set flag '${text}': expected ${read.expected}`;
  throw new ProcessmasterError('invalid_argument', message);
}

function tell(
  ports: ApiPorts,
  service: ServiceName,
  kind: string,
  { name, expiresAtMs, actor }: UserFlag,
  message: string,
): void {
  const data = { flag: name, expires_at_ms: expiresAtMs };
  ports.emit({ atMs: ports.clock.wallMs(), service, kind, message, actor, data });
}
