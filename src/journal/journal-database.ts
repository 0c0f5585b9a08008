import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { judgeDirectory, ownDirectory } from '../host/own-directory.ts';
import { ProcessmasterError } from '../lib/errors.ts';

const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, service TEXT, kind TEXT NOT NULL,
    message TEXT NOT NULL, actor TEXT NOT NULL, data TEXT NOT NULL
  );
  CREATE INDEX events_by_service ON events (service, seq);
  CREATE TABLE runs (
    service TEXT NOT NULL, run INTEGER NOT NULL, started_at_ms INTEGER, ended_at_ms INTEGER,
    exit TEXT, reason TEXT, PRIMARY KEY (service, run)
  ) WITHOUT ROWID;
  CREATE TABLE intents (service TEXT PRIMARY KEY, boot_id TEXT NOT NULL, intent TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Tables that an older build does not know and may leave alone, so the version stays. */
const LATER_TABLES = `
  CREATE TABLE IF NOT EXISTS flags (
    service TEXT NOT NULL, flag TEXT NOT NULL, expires_at_ms INTEGER, set_at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL, PRIMARY KEY (service, flag)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS specs (name TEXT PRIMARY KEY, accepted TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS jobs (service TEXT PRIMARY KEY, progress TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS slots (
    service TEXT NOT NULL, slot_ms INTEGER NOT NULL, last_slot_ms INTEGER NOT NULL, slots INTEGER,
    outcome TEXT, reason TEXT, run INTEGER, tries INTEGER NOT NULL, PRIMARY KEY (service, slot_ms)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS job_runs (
    service TEXT NOT NULL, run INTEGER NOT NULL, slot_ms INTEGER, outcome TEXT, cpu_ms INTEGER,
    peak_memory_bytes INTEGER, PRIMARY KEY (service, run)
  ) WITHOUT ROWID;
`;

/**
 * Per connection. A commit reaches the disk at the next checkpoint (NORMAL): a killed daemon loses
 * nothing, a power cut the last events. Cache and write-ahead log are kept small; nothing is mapped,
 * so an I/O error is an error and not a SIGBUS (sqlite.org/pragma.html).
 */
const SETTINGS = `
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_size = -256;
  PRAGMA mmap_size = 0;
  PRAGMA wal_autocheckpoint = 512;
  PRAGMA journal_size_limit = 1048576;
`;

/** Longest wait for somebody (a backup, an operator's sqlite3) who holds the file's lock. */
const LOCK_WAIT_MS = 100;

type Row = Record<string, unknown>;

/**
 * The one SQLite file, and its statements.
 *
 * INVARIANTS: statements are prepared once, when first used; a failed transaction leaves nothing.
 */
export class JournalDatabase {
  readonly #database: DatabaseSync;
  readonly #statementsBySql = new Map<string, StatementSync>();

  /**
   * Opens (or makes) `journal.sqlite`, 0600, in `directory`, 0700.
   * @throws ProcessmasterError `unsafe_path` when others than root may write there,
   *   `invalid_config` when a newer version made the file; otherwise what the system or SQLite says
   *   ({@link isCorruption} tells a damaged file).
   */
  static open(directory: string): JournalDatabase {
    ownDirectory(directory, 0o700);
    const path = join(directory, JOURNAL_FILE);
    // SQLite would create it with the umask's mode; its -wal and -shm files take over the mode.
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600));
    const database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
    try {
      return new JournalDatabase(setUp(database, path));
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /**
   * Opens what cannot be written (a read-only or full file system), to read what earlier daemons
   * left. With a log beside it SQLite shares it as ever; without one it would have to make the
   * shared index, unless it is told that nobody changes the file (sqlite.org/wal.html); an empty log
   * is what a try to open it on a full disk leaves.
   * @throws ProcessmasterError `unsafe_path`, or what SQLite says
   */
  static openToRead(directory: string): JournalDatabase {
    judgeDirectory(directory);
    const path = join(directory, JOURNAL_FILE);
    const url = pathToFileURL(path);
    const wal = statSync(`${path}-wal`, { throwIfNoEntry: false });
    if ((wal?.size ?? 0) === 0) url.searchParams.set('immutable', '1');
    return new JournalDatabase(new DatabaseSync(url, { readOnly: true, timeout: LOCK_WAIT_MS }));
  }

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Changes rows; `values` stand for the question marks. */
  run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    return this.#statement(sql).all(...values);
  }

  /** The first column of the first row, when it is a number. */
  number(sql: string, ...values: SQLInputValue[]): number | null {
    const row = this.#statement(sql).get(...values);
    const value = row === undefined ? null : Object.values(row)[0];
    return typeof value === 'number' ? value : null;
  }

  /** Does all of `work` or nothing. */
  transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      // A full disk may have rolled back already (sqlite.org/lang_transaction.html).
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Like {@link transaction}; what was done is on the disk when it returns, after a power cut, too. */
  durably(work: () => void): void {
    this.#database.exec('PRAGMA synchronous = FULL');
    try {
      this.transaction(work);
    } finally {
      this.#database.exec('PRAGMA synchronous = NORMAL');
    }
  }

  /** Bytes in use, without pages that are free to be used again. */
  usedBytes(): number {
    const pages = this.number('PRAGMA page_count') ?? 0;
    const free = this.number('PRAGMA freelist_count') ?? 0;
    return (pages - free) * (this.number('PRAGMA page_size') ?? 0);
  }

  /** Gives free pages back to the file system. */
  shrink(): void {
    this.#database.exec('PRAGMA incremental_vacuum');
  }

  /** The last connection to close writes everything into the main file and removes the log. */
  close(): void {
    this.#statementsBySql.clear();
    this.#database.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statementsBySql.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statementsBySql.set(sql, statement);
    return statement;
  }
}

const JOURNAL_FILE = 'journal.sqlite';

function setUp(database: DatabaseSync, path: string): DatabaseSync {
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  // Before any setting: it would change the file.
  if (version > SCHEMA_VERSION) throw newerVersion(path, version);
  database.exec(SETTINGS);
  if (version === 0) database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
  database.exec(LATER_TABLES);
  return database;
}

/** Whether SQLite says that the file is damaged, or none of its own. */
export function isCorruption(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  // SQLITE_CORRUPT and SQLITE_NOTADB (sqlite.org/rescode.html); the upper bits say where.
  return code === 11 || code === 26;
}

/** What the journal in a folder would be refused for, by its header alone; `null` for nothing. */
export function journalTrouble(directory: string): string | null {
  const path = join(directory, JOURNAL_FILE);
  const version = headerVersion(path);
  return version > SCHEMA_VERSION ? newerVersion(path, version).message : null;
}

/** The user version stands at offset 60 (sqlite.org/fileformat.html); 0 where nothing can be read. */
function headerVersion(path: string): number {
  const header = Buffer.alloc(64);
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return readSync(fd, header) === header.length ? header.readUInt32BE(60) : 0;
    } finally {
      closeSync(fd);
    }
  } catch {
    // Not there, or not for our eyes: nothing is known against it.
    return 0;
  }
}

/** Renames a damaged journal to the first free `journal.sqlite.corrupt-<n>`; returns that path. */
export function setAsideDatabase(directory: string): string {
  const path = join(directory, JOURNAL_FILE);
  let n = 1;
  while (existsSync(`${path}.corrupt-${n}`)) n += 1;
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, `${path}.corrupt-${n}${suffix}`);
  }
  return `${path}.corrupt-${n}`;
}

function newerVersion(path: string, version: number): ProcessmasterError {
  return new ProcessmasterError(
    'invalid_config',
    `cannot open the journal '${path}': it has version ${version}, this build knows ${SCHEMA_VERSION} (run the newer build, or move the file away)`,
  );
}
