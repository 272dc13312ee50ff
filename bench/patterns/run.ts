/**
 * `npm run bench:patterns [-- --only=<slug>] [--write-readme]`: each pattern's naive and hardened twin, one after the
 * other, each in a 512 MB box. Fails when the two do not agree on a small input, when hardened does not hold, and also
 * when naive does not break any more: a demonstration that stopped demonstrating is dead.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startStack } from '../../scripts/embedded/stack.ts';
import { heapFlags } from '../../src/process/memory-limit.ts';
import { type Box, createBox } from '../box/box.ts';
import { stopOnSignal } from '../stop-on-signal.ts';
import { loadPattern, pairSlugs, type TwinName } from './pairs.ts';
import { BOX_BYTES, type Ending, MB, type Outcome, type PatternCase, type Servers } from './pattern.ts';
import { writeReadmeTable } from './readme-table.ts';
import { withScratchDatabase } from './scratch-database.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const CPUS = 2;
/** A twin that takes longer is broken by being slow. */
const TWIN_MS = 60_000;

interface PatternResult {
  readonly slug: string;
  readonly asks: string;
  readonly breaks: string;
  readonly holds: string;
  readonly pass: boolean;
  readonly reasons: readonly string[];
  readonly naive: Outcome;
  readonly hardened: Outcome;
}

const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);
const writesReadme = process.argv.includes('--write-readme');
const slugs = pairSlugs().filter((slug) => only === undefined || slug === only);
if (slugs.length === 0) throw new Error(`There is no pattern ${only}: see the folders of bench/patterns/`);
const pairs = await Promise.all(slugs.map(async (slug) => ({ slug, pattern: await loadPattern(slug) })));

stopOnSignal();
const stack = await startStack({
  folder: path.join(ROOT, '.tardigrade', 'patterns'),
  durable: false,
  ports: 'any',
  withMail: false,
  withReplica: pairs.some(({ pattern }) => pattern.needsReplica),
});
const results: PatternResult[] = [];
try {
  const servers: Servers = {
    databaseUrl: stack.databaseUrl,
    workerDatabaseUrl: stack.workerDatabaseUrl,
    workerReplicaUrl: stack.workerDatabaseReplicaUrl ?? '',
    databaseAdminUrl: stack.databaseAdminUrl ?? '',
    replicaAdminUrl: stack.databaseReplicaAdminUrl ?? '',
    redisUrl: stack.redisUrl,
  };
  for (const { slug, pattern } of pairs) results.push(await runPattern(slug, pattern, servers));
} finally {
  await stack.stop();
}

const resultFile = path.join(ROOT, 'bench', 'results', 'patterns.json');
const kept = only === undefined ? results : withResults(keptResults(), results);
mkdirSync(path.dirname(resultFile), { recursive: true });
writeFileSync(
  resultFile,
  `${JSON.stringify({ node: process.version, boxBytes: BOX_BYTES, cpus: CPUS, patterns: kept }, null, 2)}\n`,
);
const failed = results.filter((result) => !result.pass).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
// A failed run has nothing to show.
if (writesReadme && kept.every(({ pass }) => pass)) await writeReadmeTable(path.join(ROOT, 'README.md'), kept);
process.exit(failed === 0 ? 0 : 1);

function keptResults(): PatternResult[] {
  return existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')).patterns : [];
}

/** Those of `newer` in the places of the older ones of the same patterns. */
function withResults(older: readonly PatternResult[], newer: readonly PatternResult[]): PatternResult[] {
  const bySlug = new Map([...older, ...newer].map((result) => [result.slug, result]));
  return pairSlugs().flatMap((slug) => bySlug.get(slug) ?? []);
}

async function runPattern(
  slug: string,
  pattern: PatternCase<unknown, unknown>,
  servers: Servers,
): Promise<PatternResult> {
  const { asks, breaks, holds } = pattern;
  console.log(`\n${slug}: ${asks}`);
  const begun = performance.now();
  const run = (name: TwinName, size: 'small' | 'full') =>
    withScratchDatabase(servers, slug, async (scratch) => {
      await pattern.arrange?.(scratch, pattern[size]);
      return runTwin(slug, name, size, scratch, pattern.boxBytes);
    });
  const [smallNaive, smallHardened] = [await run('naive', 'small'), await run('hardened', 'small')];
  const [naive, hardened] = [await run('naive', 'full'), await run('hardened', 'full')];
  const reasons = [
    ...(smallNaive.ending === 'finished' && smallNaive.digest === smallHardened.digest
      ? []
      : ['the two do not give the same result on the small input']),
    ...(pattern.isBroken(naive, hardened) ? [] : [`naive does not break any more (broken is: ${breaks})`]),
    ...(pattern.isHeld(hardened) ? [] : [`hardened does not hold (held is: ${holds})`]),
  ];
  const verdict = reasons.length === 0 ? 'shown' : `FAILED: ${reasons.join('; ')}`;
  const seconds = Math.round((performance.now() - begun) / 1000);
  console.log(`  naive     ${lineOf(naive)}\n  hardened  ${lineOf(hardened)}\n  ${verdict}, ${seconds} s in all`);
  return { slug, asks, breaks, holds, pass: reasons.length === 0, reasons, naive, hardened };
}

async function runTwin(
  slug: string,
  name: TwinName,
  size: 'small' | 'full',
  servers: Servers,
  memoryBytes = BOX_BYTES,
): Promise<Outcome> {
  const box = await createBox({ name: `${slug}-${name}`, memoryBytes, cpus: CPUS });
  try {
    if (box.enforcedBy === 'none')
      throw new Error('Nothing on this machine enforces a memory limit: the patterns cannot be shown.');
    return await runInBox(box, [path.join(import.meta.dirname, 'run-twin.ts'), slug, name, size], servers);
  } finally {
    await box.close();
  }
}

async function runInBox(box: Box, args: string[], servers: Servers): Promise<Outcome> {
  // The product's own heap flags for both: what differs is the pattern and nothing else.
  const { command, args: wrapped } = box.wrap(process.execPath, [
    ...heapFlags({ bytes: BOX_BYTES, source: 'container' }),
    ...args,
  ]);
  const begun = performance.now();
  const child = spawn(command, wrapped, {
    env: { ...process.env, BENCH_SERVERS: JSON.stringify(servers) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err, late] = ['', '', false];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err = `${err}${chunk}`.slice(-4_000);
  });
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, TWIN_MS);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  const { peakBytes, cpuSeconds, oomKills } = box.figures();
  const ending: Ending = late
    ? 'too slow'
    : oomKills > 0
      ? 'OOM-killed'
      : /heap out of memory/.test(err)
        ? 'heap exhausted'
        : code === 0
          ? 'finished'
          : 'failed';
  if (ending === 'failed') console.log(err);
  const { digest = '', figures = {} } = ending === 'finished' ? JSON.parse(out) : {};
  const seconds = Math.round((performance.now() - begun) / 10) / 100;
  return { ending, digest, figures, seconds, peakBytes, cpuSeconds };
}

function lineOf({ ending, figures, seconds, peakBytes }: Outcome): string {
  return [
    ending.padEnd(15),
    `peak ${Math.round(peakBytes / MB)} MB`,
    `${seconds} s`,
    ...Object.entries(figures).map(([name, value]) => `${name} ${Math.round(value * 100) / 100}`),
  ].join(', ');
}
