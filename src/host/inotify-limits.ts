import { isErrno, messageOf } from '../lib/errors.ts';

/** Why inotify(7) would not watch something: ENOSPC is the limit of watches, EMFILE of instances. */
export function whyNotWatched(error: unknown): string {
  if (!isErrno(error, 'ENOSPC', 'EMFILE')) return messageOf(error);
  const limit = isErrno(error, 'ENOSPC') ? 'watches' : 'instances';
  return `no inotify ${limit} are left (raise fs.inotify.max_user_${limit})`;
}
