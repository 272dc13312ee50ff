import type { PerContestant } from './pair.ts';

/** Markdown: what a request costs both contestants, in microseconds by what costs it, the most expensive first. */
export function costTable(title: string, { product, bare }: PerContestant<ReadonlyMap<string, number>>): string {
  const of = (costs: ReadonlyMap<string, number>, name: string) => costs.get(name) ?? 0;
  const sum = (costs: ReadonlyMap<string, number>) => [...costs.values()].reduce((total, us) => total + us, 0);
  const names = [...new Set([...product.keys(), ...bare.keys()])].sort((a, b) => of(product, b) - of(product, a));
  const row = (name: string, ours: number, theirs: number, mark = '') =>
    `| ${mark}${name}${mark} | ${mark}${ours.toFixed(1)}${mark} | ${mark}${theirs.toFixed(1)}${mark} |`;
  return [
    `| ${title} | product | bare |`,
    '|---|---:|---:|',
    ...names.map((name) => row(name, of(product, name), of(bare, name))),
    row('all', sum(product), sum(bare), '**'),
  ].join('\n');
}
