/** Inside the box: one twin of one pattern; prints its measurement as one line of JSON. `node run-twin.ts <slug> <twin> <size>` */
import { loadPattern, loadTwin, type TwinName } from './pairs.ts';
import type { Servers } from './pattern.ts';

const [slug, name, size] = process.argv.slice(2) as [string, TwinName, 'small' | 'full'];
const pattern = await loadPattern(slug);
const servers = JSON.parse(process.env.BENCH_SERVERS ?? '{}') as Servers;
const measurement = await pattern.perform(await loadTwin(slug, name), pattern[size], servers);
process.stdout.write(`${JSON.stringify(measurement)}\n`, () => process.exit(0));
