import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import type { Contestant } from './arrange.ts';

const CONNECTIONS = 20;
const run = promisify(execFile);
const AUTOCANNON = createRequire(import.meta.url).resolve('autocannon');

export interface Answered {
  readonly answers: number;
  /** It may have taken longer than it should. */
  readonly seconds: number;
}

/** By CONNECTIONS clients that each ask again as soon as they are answered. Throws when one is refused. */
export async function measure(contestant: Pick<Contestant, 'url' | 'headers'>, seconds: number): Promise<Answered> {
  const headers = Object.entries(contestant.headers).flatMap(([name, value]) => ['-H', `${name}=${value}`]);
  const options = ['-c', String(CONNECTIONS), '-d', String(seconds), '--json', '--no-progress'];
  const { stdout } = await run(process.execPath, [AUTOCANNON, ...options, ...headers, contestant.url]);
  const result = JSON.parse(stdout) as {
    '2xx': number;
    non2xx: number;
    errors: number;
    duration: number;
    statusCodeStats: object;
  };
  if (result.non2xx + result.errors > 0)
    throw new Error(
      `${contestant.url} refused ${result.non2xx} and failed ${result.errors} times: ${JSON.stringify(result.statusCodeStats)}`,
    );
  return { answers: result['2xx'], seconds: result.duration };
}

/** That both answer with the same rows is what makes their speeds comparable. */
export async function sameRows(...contestants: Contestant[]): Promise<void> {
  const pages = await Promise.all(
    contestants.map(async ({ url, headers }) => {
      const { items } = (await (await fetch(url, { headers })).json()) as { items: { id: number; name: string }[] };
      return items.slice(0, 50).map(({ id, name }) => `${Number(id)} ${name}`);
    }),
  );
  const [first = []] = pages;
  if (first.length !== 50 || pages.some((page) => page.join() !== first.join()))
    throw new Error('They do not answer with the same 50 rows.');
}
