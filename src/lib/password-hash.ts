import { compare, hash, truncates } from 'bcryptjs';

/** Doublings of the work: some tenths of a second for one guess. */
const COST = 12;
/** `$2a$` and `$2y$` are what htpasswd(1) and older tools write. */
const HASH = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;

/** Why a password cannot be used, a sentence without its words; `null` when it can. */
export function passwordComplaint(password: string): string | null {
  if (password === '') return 'it is empty';
  if (password.includes('\0')) return 'it has a NUL character';
  return truncates(password)
    ? 'it is longer than 72 bytes, of which bcrypt would leave out the rest'
    : null;
}

/** The bcrypt hash, `$2b$…`. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, COST);
}

/** Whether a text is a bcrypt hash. */
export function isPasswordHash(text: string): boolean {
  return HASH.test(text);
}

/** Whether it is the password of a hash of the form that {@link isPasswordHash} knows. */
export async function isPasswordOf(password: string, hashed: string): Promise<boolean> {
  return !truncates(password) && compare(password, hashed);
}
