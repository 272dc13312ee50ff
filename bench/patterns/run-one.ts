/** Inside the box: one variant of one pattern, its performance as one line of JSON. `node run-one.ts <slug> <variant> <size>` */
import type { PatternCase, Servers } from './pattern.ts';

const [slug, variant, size] = process.argv.slice(2) as [string, 'naive' | 'hardened', 'small' | 'full'];
const { pattern } = (await import(`./${slug}/case.ts`)) as { pattern: PatternCase<unknown, unknown> };
const servers = JSON.parse(process.env.BENCH_SERVERS ?? '{}') as Servers;
const performance = await pattern.perform(await import(`./${slug}/${variant}.ts`), pattern[size], servers);
process.stdout.write(`${JSON.stringify(performance)}\n`, () => process.exit(0));
