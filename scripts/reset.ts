/** `npm run reset`: empties .tardigrade, so that the next start begins afresh. Refuses while a stack runs in it. */
import { existsSync, lstatSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { stackOwner, stopLeftovers } from './embedded/leftovers.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '.tardigrade');

/**
 * Removes everything in the folder, first stopping what a killed stack left running.
 * @throws when a stack runs there: its data would be pulled from under it
 */
export async function reset(folder: string): Promise<void> {
  const owner = stackOwner(folder);
  if (owner !== undefined) throw new Error(`a stack runs (process ${owner}): stop it first, with Ctrl-C where it runs`);
  if (!existsSync(folder)) return;
  await stopLeftovers(folder);
  for (const name of readdirSync(folder)) {
    const entry = path.join(folder, name);
    // PostgreSQL's data may live elsewhere, behind a link (postgresHome in postgres-account.ts).
    if (lstatSync(entry).isSymbolicLink() && existsSync(entry)) rmSync(realpathSync(entry), { recursive: true });
    rmSync(entry, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  try {
    await reset(FOLDER);
    console.log('.tardigrade is empty; npm start begins afresh');
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
