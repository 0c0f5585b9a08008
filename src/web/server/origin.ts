import { isIP } from 'node:net';

/** What a request says of where it comes from and whom it is meant for. */
export interface RequestOrigin {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
}

/**
 * Whether a request is meant for this server: a page of somebody else's that has its own name lead to our
 * address (DNS rebinding) sends that name. An address is no name, so it cannot be made to lead elsewhere.
 */
export function isOurHost(host: string | undefined, names: readonly string[]): boolean {
  const name = nameOf(host ?? '');
  return name !== null && (isIP(name) !== 0 || names.includes(name.toLowerCase()));
}

/** Whether a request comes from a page of ours, or from no page at all. */
export function isSameOrigin({ host, origin, fetchSite }: RequestOrigin): boolean {
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') return false;
  if (origin === undefined) return true;
  try {
    return new URL(origin).host === (host ?? '').toLowerCase();
  } catch {
    // `null`, of a page that hides where it is from.
    return false;
  }
}

/** `name:port`, `[::1]:port`; `null` when it is neither. */
function nameOf(host: string): string | null {
  const [, address, name] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?$/.exec(host) ?? [];
  return address ?? name ?? null;
}
