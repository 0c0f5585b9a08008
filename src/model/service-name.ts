declare const brand: unique symbol;

/** A validated service name; made only by {@link parseServiceName}, so it is safe in a path. */
export type ServiceName = string & { readonly [brand]: 'ServiceName' };

/** What a service name looks like; numbers are fine, too. */
export const SERVICE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

/** What a service name must look like, for messages. */
export const SERVICE_NAME_RULE =
  'a name of 1 to 64 letters, digits, ".", "_" or "-" that does not begin with "." or "-"';

/** The name when it is one, else `null`. */
export function parseServiceName(text: string): ServiceName | null {
  return SERVICE_NAME.test(text) ? (text as ServiceName) : null;
}
