/**
 * `npm run bench:patterns [-- --only=<slug>] [--write-readme]`: each pattern's naive and hardened twin, one after the
 * other, each in a 512 MB box. Fails when the two do not agree on a small input, when hardened does not hold, and also
 * when naive does not break any more: a demonstration that stopped demonstrating is dead.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startStack } from '../../scripts/embedded/stack.ts';
import { migrate, openMigrationDatabase } from '../../src/db/migrate.ts';
import { heapFlags } from '../../src/process/memory-limit.ts';
import { type Box, createBox } from '../box/box.ts';
import { removeCopies } from './bench-organisation.ts';
import { BOX_BYTES, type Ending, MB, type Outcome, type PatternCase, type Servers } from './pattern.ts';
import { writeReadmeTable } from './readme-table.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const CPUS = 2;
/** A twin that takes longer is broken by being slow. */
const VARIANT_MS = 180_000;

export interface PatternResult {
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
const slugs = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && (only === undefined || entry.name === only))
  .map((entry) => entry.name)
  .sort();
if (slugs.length === 0) throw new Error(`There is no pattern ${only}: see the folders of bench/patterns/`);
const patterns = await Promise.all(slugs.map(patternOf));

const stack = await startStack({
  folder: path.join(ROOT, '.tardigrade', 'patterns'),
  durable: false,
  ports: 'any',
  withReplica: patterns.some((pattern) => pattern.needs.includes('replica')),
});
const results: PatternResult[] = [];
try {
  const db = openMigrationDatabase(stack.databaseUrl);
  await migrate(db);
  await db.destroy();
  const servers: Servers = {
    databaseUrl: stack.databaseUrl,
    workerDatabaseUrl: stack.workerDatabaseUrl,
    workerReplicaUrl: stack.workerDatabaseReplicaUrl ?? '',
    databaseAdminUrl: stack.databaseAdminUrl ?? '',
    replicaAdminUrl: stack.databaseReplicaAdminUrl ?? '',
    smtpUrl: stack.smtpUrl ?? '',
  };
  for (const pattern of patterns) results.push(await runPattern(pattern, servers));
} finally {
  await stack.stop();
}

const file = path.join(ROOT, 'bench', 'results', 'patterns.json');
if (only === undefined) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(
    file,
    `${JSON.stringify({ node: process.version, boxBytes: BOX_BYTES, cpus: CPUS, patterns: results }, null, 2)}\n`,
  );
}
if (process.argv.includes('--write-readme')) writeReadmeTable(path.join(ROOT, 'README.md'), results);
const failed = results.filter((result) => !result.pass).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function patternOf(slug: string): Promise<PatternCase<unknown, unknown>> {
  return ((await import(`./${slug}/case.ts`)) as { pattern: PatternCase<unknown, unknown> }).pattern;
}

async function runPattern(pattern: PatternCase<unknown, unknown>, servers: Servers): Promise<PatternResult> {
  const { slug } = pattern;
  console.log(`\n${slug}: ${pattern.asks}`);
  await removeCopies(servers.databaseUrl);
  await pattern.prepare(servers);
  const [smallNaive, smallHardened] = [
    await runVariant(slug, 'naive', 'small', servers),
    await runVariant(slug, 'hardened', 'small', servers),
  ];
  const [naive, hardened] = [
    await runVariant(slug, 'naive', 'full', servers),
    await runVariant(slug, 'hardened', 'full', servers),
  ];
  const reasons = [
    ...(smallNaive.ending === 'finished' && smallNaive.digest === smallHardened.digest
      ? []
      : ['the two do not give the same result on the small input']),
    ...(pattern.isBroken(naive, hardened) ? [] : [`naive does not break any more (broken is: ${pattern.breaks})`]),
    ...(pattern.isHeld(hardened) ? [] : [`hardened does not hold (held is: ${pattern.holds})`]),
  ];
  console.log(
    `  naive     ${describe(naive)}\n  hardened  ${describe(hardened)}\n  ${reasons.length === 0 ? 'shown' : `FAILED: ${reasons.join('; ')}`}`,
  );
  const { asks, breaks, holds } = pattern;
  return { slug, asks, breaks, holds, pass: reasons.length === 0, reasons, naive, hardened };
}

async function runVariant(
  slug: string,
  variant: 'naive' | 'hardened',
  size: 'small' | 'full',
  servers: Servers,
): Promise<Outcome> {
  const box = await createBox({ name: `${slug}-${variant}`, memoryBytes: BOX_BYTES, cpus: CPUS });
  try {
    if (box.enforcedBy === 'none')
      throw new Error('Nothing on this machine enforces a memory limit: the patterns cannot be shown.');
    return await runInBox(box, [path.join(import.meta.dirname, 'run-one.ts'), slug, variant, size], servers);
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
  }, VARIANT_MS);
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
  return {
    ending,
    digest,
    figures,
    seconds: Math.round((performance.now() - begun) / 10) / 100,
    peakBytes,
    cpuSeconds,
  };
}

function describe(outcome: Outcome): string {
  const figures = Object.entries(outcome.figures).map(([name, value]) => `${name} ${Math.round(value * 100) / 100}`);
  return [
    outcome.ending.padEnd(15),
    `peak ${Math.round(outcome.peakBytes / MB)} MB`,
    `${outcome.seconds} s`,
    ...figures,
  ].join(', ');
}
