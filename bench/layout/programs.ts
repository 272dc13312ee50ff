/** Programs of their own for the boxes (cold-copy.ts says why): each box runs a copy that nobody else has in memory. */
import path from 'node:path';
import type { WrapCommand } from '../../scripts/embedded/child.ts';
import { chooseAccount, postgresPrograms } from '../../scripts/embedded/postgres-account.ts';
import { dropFromCache, keepCopy } from './cold-copy.ts';

const KEPT = path.resolve(import.meta.dirname, '..', '..', '.tardigrade', 'bench', 'programs');

export type Swap = (args: readonly string[]) => string[];

/**
 * Makes the copies for a box, and returns what puts them in the place of the originals in a command line.
 * `home` is the stack's folder for PostgreSQL's data.
 */
export async function ownPrograms(box: string, parts: readonly string[], home: string): Promise<Swap> {
  const copies = new Map<string, string>();
  if (parts.some((part) => !SERVERS.has(part))) copies.set(process.execPath, path.join(KEPT, box, 'node'));
  const account = chooseAccount();
  // As `nobody` the programs may have to be where that account can reach them; there they stay.
  if (parts.some((part) => DATABASES.has(part)) && account.owner === undefined) {
    const native = path.dirname(path.dirname(postgresPrograms(home, account).postgres));
    copies.set(native, path.join(KEPT, box, 'postgres'));
  }
  for (const [from, to] of copies) await keepCopy(from, to);
  if (copies.size > 0) await dropFromCache([...copies.values()]);
  const pairs = [...copies];
  return (args) =>
    args.map((arg) => {
      const pair = pairs.find(([from]) => arg === from || arg.startsWith(`${from}${path.sep}`));
      return pair === undefined ? arg : pair[1] + arg.slice(pair[0].length);
    });
}

const DATABASES = new Set(['primary', 'replica']);
const SERVERS = new Set([...DATABASES, 'redis']);

/** A wrap for scripts/embedded: the box's own programs, inside the box. */
export function wrapWith(swap: Swap, enter: (command: string, args: string[]) => ReturnType<WrapCommand>): WrapCommand {
  return (_part, command, args) => {
    const [program = command, ...rest] = swap([command, ...args]);
    return enter(program, rest);
  };
}
