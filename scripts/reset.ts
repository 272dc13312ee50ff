/**
 * `npm run reset`: empties .tardigrade, so that the next start begins from scratch. Refuses while a stack is running in
 * it.
 */
import { existsSync, lstatSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { stackOwner, stopLeftovers } from './embedded/leftovers.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '.tardigrade');

/**
 * Removes everything in the folder, first stopping what a killed stack left running.
 * @throws if a stack is running there: it would lose its data while it runs
 */
export async function reset(folder: string): Promise<void> {
  const owner = stackOwner(folder);
  if (owner !== undefined)
    throw new Error(`a stack is running (process ${owner}): stop it first, with Ctrl-C in its terminal`);
  if (!existsSync(folder)) return;
  await stopLeftovers(folder);
  for (const name of readdirSync(folder)) {
    const entry = path.join(folder, name);
    // PostgreSQL's data may be elsewhere, behind a link (postgresHome in postgres-account.ts).
    if (lstatSync(entry).isSymbolicLink() && existsSync(entry)) rmSync(realpathSync(entry), { recursive: true });
    rmSync(entry, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  try {
    await reset(FOLDER);
    console.log('.tardigrade is empty; npm start will begin from scratch');
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
