import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { loadPair, type Pair, pairSlugs, type TwinName } from '../../../bench/patterns/pairs.ts';
import type { Measurement, Outcome } from '../../../bench/patterns/pattern.ts';
import { withScratchDatabase } from '../../../bench/patterns/scratch-database.ts';
import { sharedServers } from './servers.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const PAIRS = (await Promise.all(pairSlugs().map(loadPair))).map((pair) => [pair.slug, pair] as const);

test('there are pairs', () => {
  expect(PAIRS.length).toBeGreaterThan(10);
});

test.each(PAIRS)('%s: both twins give the same result on the small input, also twice', async (_slug, pair) => {
  const digests = (await smallRuns(pair)).map(({ digest }) => digest);
  expect(digests[0]).not.toBe('');
  expect(new Set(digests)).toEqual(new Set([digests[0]]));
});

test.each(PAIRS)(
  '%s: a naive twin that does what the hardened one does does not count as broken',
  async (_slug, pair) => {
    const outcome = finished((await smallRuns(pair)).at(-1) as Measurement);
    expect(pair.pattern.isBroken(outcome, outcome)).toBe(false);
  },
);

test.each(PAIRS)('%s: a hardened twin that was killed does not hold', (_slug, { pattern }) => {
  const killed: Outcome = { ...finished({ digest: '', figures: {} }), ending: 'OOM-killed' };
  expect(pattern.isHeld(killed)).toBe(false);
});

test.each(PAIRS)(
  '%s: hardened imports the shipped technique, and neither twin a module of the product',
  (slug, pair) => {
    const hardened = importsOf(`bench/patterns/${slug}/hardened.ts`);
    expect(hardened).toContain(pair.pattern.shipped);
    const all = [
      ...hardened,
      ...importsOf(`bench/patterns/${slug}/naive.ts`),
      ...importsOf(`bench/patterns/${slug}/case.ts`),
    ];
    expect(all.filter((file) => file.startsWith('src/modules/'))).toEqual([]);
  },
);

/** Of naive, hardened, naive, hardened; run once, for all tests of the pair. */
function smallRuns(pair: Pair): Promise<Measurement[]> {
  const known = runs.get(pair.slug) ?? runInTurn(pair, ['naive', 'hardened', 'naive', 'hardened']);
  runs.set(pair.slug, known);
  return known;
}

const runs = new Map<string, Promise<Measurement[]>>();

async function runInTurn(pair: Pair, names: readonly TwinName[]): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const name of names) measurements.push(await performSmall(pair, name));
  return measurements;
}

function performSmall({ slug, pattern, ...twins }: Pair, name: TwinName): Promise<Measurement> {
  return withScratchDatabase(sharedServers(), slug, async (servers) => {
    await pattern.arrange?.(servers, pattern.small);
    return pattern.perform(twins[name], pattern.small, servers);
  });
}

function finished({ digest, figures }: Measurement): Outcome {
  return { ending: 'finished', digest, figures, seconds: 1, peakBytes: 1, cpuSeconds: 1 };
}

/** Everything that a file imports, and what that imports in turn. */
function importsOf(file: string, found = new Set<string>()): string[] {
  for (const [, target = ''] of readFileSync(join(ROOT, file), 'utf8').matchAll(/from '(\.[^']+\.ts)'/g)) {
    const path = normalize(join(dirname(file), target));
    if (found.has(path) || !existsSync(join(ROOT, path))) continue;
    found.add(path);
    importsOf(path, found);
  }
  return [...found];
}
