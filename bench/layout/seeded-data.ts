/**
 * A seeded primary with its replica, made once per day, scale and version of the schema and the seed, and copied for
 * each run: seeding takes far longer than copying. By day, because the seed's 90 days end with the day it ran.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { choosePort } from '../../scripts/embedded/ports.ts';
import { createPrimary, createReplica } from '../../scripts/embedded/postgres.ts';
import { chooseAccount, postgresHome } from '../../scripts/embedded/postgres-account.ts';
import { loadSecrets } from '../../scripts/embedded/secrets.ts';
import { seed } from '../../scripts/seed.ts';
import { migrate, openMigrationDatabase } from '../../src/db/migrate.ts';
import { copyWhole, dropFromCache } from './cold-copy.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const KEPT = path.join(ROOT, '.tardigrade', 'bench', 'seeded');

/** Puts a seeded primary, its replica and the secrets that fit them into the folder of a stack, in the place of any others. */
export async function putSeededData(folder: string, scale: number): Promise<void> {
  const kept = await keptData(scale);
  const home = postgresHome(folder, chooseAccount());
  const source = realpathSync(path.join(kept, 'postgres'));
  for (const server of ['primary', 'replica']) await copyWhole(path.join(source, server), path.join(home, server));
  await copyWhole(path.join(kept, 'secrets.json'), path.join(folder, 'secrets.json'));
  await dropFromCache([home]);
}

/** The folder that holds them, made where it is missing. */
async function keptData(scale: number): Promise<string> {
  const name = `${scale}-${new Date().toISOString().slice(0, 10)}-${seedVersion(ROOT)}`;
  const kept = path.join(KEPT, name);
  if (existsSync(kept)) return kept;
  mkdirSync(KEPT, { recursive: true });
  // Those of other days and versions will not be asked for again.
  for (const old of readdirSync(KEPT)) if (old.startsWith(`${scale}-`)) removeStackFolder(path.join(KEPT, old));
  const partial = path.join(KEPT, `partial-${process.pid}-${name}`);
  try {
    await fill(partial, scale);
    // Another run may have been quicker.
    if (!existsSync(kept)) renameSync(partial, kept);
    return kept;
  } finally {
    if (existsSync(partial)) removeStackFolder(partial);
  }
}

async function fill(folder: string, scale: number): Promise<void> {
  const secrets = loadSecrets(folder);
  // Without fsync: nothing here is worth anything until it is whole. Runs write the settings afresh, durable ones.
  const base = { folder, secrets, durable: false };
  const primary = await createPrimary({ ...base, port: await choosePort('primary', 'any') });
  try {
    const db = openMigrationDatabase(primary.url);
    await migrate(db).finally(() => db.destroy());
    await seed(primary.adminUrl, { scale });
    // After the seed: a copy is quicker than a replica that follows it all.
    const replica = await createReplica({ ...base, port: await choosePort('replica', 'any'), primary });
    await replica.stop();
  } finally {
    await primary.stop();
  }
}

/** What the data depends on: the schema, the seed of the platform and of each module, and how a server is made. */
const SOURCES = [
  'migrations/*.sql',
  'scripts/seed.ts',
  'scripts/seed/**/*.ts',
  'scripts/embedded/postgres.ts',
  'src/modules.ts',
  'src/modules/*/seed*.ts',
];

export function seedVersion(root: string): string {
  const hash = createHash('sha256');
  for (const file of globSync(SOURCES, { cwd: root }).sort())
    hash.update(`\0${file}\0`).update(readFileSync(path.join(root, file)));
  return hash.digest('hex').slice(0, 12);
}

/** Empties the folder of a stack but for the names to keep. Its data may be behind a link (postgresHome). */
export function removeStackFolder(folder: string, keep: readonly string[] = []): void {
  const home = path.join(folder, 'postgres');
  if (existsSync(home)) rmSync(realpathSync(home), { recursive: true, force: true });
  for (const name of readdirSync(folder)) {
    if (!keep.includes(name)) rmSync(path.join(folder, name), { recursive: true, force: true });
  }
  if (keep.length === 0) rmSync(folder, { recursive: true, force: true });
}
