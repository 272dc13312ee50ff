/** Secrets of the embedded stack: generated once per folder, readable only by its owner. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export type Secrets = {
  /** Signs sessions, links and cursors. */
  secretKey: string;
  /** Of the role that owns the database: migrations, the seed. */
  databasePassword: string;
  /** Of the role that the workers log in with; it owns nothing. */
  workerPassword: string;
  /** Of the superuser, for the stack itself. */
  adminPassword: string;
  /** Of the role that the replica streams with. */
  replicationPassword: string;
  redisPassword: string;
};

const NAMES = [
  'secretKey',
  'databasePassword',
  'workerPassword',
  'adminPassword',
  'replicationPassword',
  'redisPassword',
] as const;
const SECRET_BYTES = 32;

/** Reads the folder's `secrets.json` and generates the secrets that are missing. */
export function loadSecrets(folder: string): Secrets {
  const file = path.join(folder, 'secrets.json');
  const known = readSecrets(file);
  // base64url: safe in a URL, in a connection string and in an SQL literal.
  const made = NAMES.map((name) => [name, known[name] ?? randomBytes(SECRET_BYTES).toString('base64url')]);
  const secrets = Object.fromEntries(made) as Secrets;
  if (NAMES.some((name) => known[name] === undefined)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  return secrets;
}

function readSecrets(file: string): Partial<Secrets> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Error(`${file} cannot be read; restore it, or start over with: npm run reset`, { cause: error });
  }
}
