import { readdirSync } from 'node:fs';
import type { PatternCase } from './pattern.ts';

export type TwinName = 'naive' | 'hardened';

export type Pair = {
  readonly slug: string;
  readonly pattern: PatternCase<unknown, unknown>;
} & { readonly [name in TwinName]: unknown };

/** The folders beside this file, in alphabetical order. */
export function pairSlugs(): string[] {
  return readdirSync(import.meta.dirname, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

export async function loadPattern(slug: string): Promise<PatternCase<unknown, unknown>> {
  return (await import(`./${slug}/case.ts`)).pattern;
}

export async function loadTwin(slug: string, name: TwinName): Promise<unknown> {
  return import(`./${slug}/${name}.ts`);
}

export async function loadPair(slug: string): Promise<Pair> {
  const [pattern, naive, hardened] = await Promise.all([
    loadPattern(slug),
    loadTwin(slug, 'naive'),
    loadTwin(slug, 'hardened'),
  ]);
  return { slug, pattern, naive, hardened };
}
