/** pgBackRest and PostgreSQL's own programs: this machine's, if they know PostgreSQL 18, else fetched ones. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { openOperatorTools, POSTGRES_BIN, whyNoOperatorTools } from '../embedded/operator-tools.ts';
import { chooseAccount, runAs } from '../embedded/postgres-account.ts';
import { VERSION_MS } from './limits.ts';

export interface Tools {
  /** How to run one of them, as the account that PostgreSQL runs under. `shared`: folders that it needs to see. */
  command(program: string, args: readonly string[], shared: readonly string[]): { command: string; args: string[] };
  readonly pgbackrest: string;
  /** Folder of postgres, pg_controldata and the like. */
  readonly bin: string;
  /** Where they come from, in words. */
  readonly source: string;
}

/** The first pgBackRest that knows PostgreSQL 18. */
const PGBACKREST_MIN = [2, 56] as const;

/** @throws when there are none, with what to install */
export async function findTools(): Promise<Tools> {
  const installed = installedPgbackrest();
  if (installed !== undefined && existsSync(path.join(POSTGRES_BIN, 'postgres'))) {
    const account = chooseAccount();
    return {
      command: (program, args) => runAs(account, program, [...args]),
      pgbackrest: installed,
      bin: POSTGRES_BIN,
      source: 'installed on this machine',
    };
  }
  const lacks = whyNoOperatorTools();
  if (lacks !== undefined)
    throw new Error(`Neither installed here (apt-get install pgbackrest postgresql-18) nor to be had. ${lacks}`);
  const root = await openOperatorTools();
  return {
    command: (program, args, shared) => root.inside(shared, program, args),
    pgbackrest: '/usr/bin/pgbackrest',
    bin: POSTGRES_BIN,
    source: 'fetched from Debian, not installed',
  };
}

function installedPgbackrest(): string | undefined {
  try {
    const said = execFileSync('pgbackrest', ['version'], { encoding: 'utf8', stdio: 'pipe', timeout: VERSION_MS });
    const [major = 0, minor = 0] = (/pgBackRest (\d+)\.(\d+)/.exec(said)?.slice(1) ?? []).map(Number);
    const isRecent = major > PGBACKREST_MIN[0] || (major === PGBACKREST_MIN[0] && minor >= PGBACKREST_MIN[1]);
    return isRecent ? 'pgbackrest' : undefined;
  } catch {
    return undefined;
  }
}
