import type { Config } from '../config.ts';
import type { Cursors } from '../db/keyset-pagination.ts';
import type { Database } from '../db/read-write-split.ts';
import type { Sessions } from '../http/authentication.ts';
import type { PasswordHasher } from '../http/password-hashing.ts';
import type { Log } from '../log.ts';

/** What the `routes` face of every module is handed. */
export interface ApiContext {
  readonly config: Config;
  readonly log: Log;
  readonly database: Database;
  readonly sessions: Sessions;
  readonly hasher: PasswordHasher;
  readonly cursors: Cursors;
}
