import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { flameGraph } from '../../../bench/list-page/flame-graph.ts';
import { type CpuProfile, layersOf } from '../../../bench/list-page/layers.ts';

const fileUrl = (file: string) => pathToFileURL(path.resolve(import.meta.dirname, '..', '..', '..', file)).href;
const frame = (functionName: string, url = '') => ({ functionName, url });
/** Our route calls pg for 3 ms of its own 2, and 5 ms pass in which there is nothing to do. */
const PROFILE: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 4] },
    { id: 2, callFrame: frame('list', fileUrl('src/modules/notes/routes.ts')), children: [3] },
    { id: 3, callFrame: frame('query', fileUrl('node_modules/pg/lib/client.js')) },
    { id: 4, callFrame: frame('(idle)') },
  ],
  samples: [2, 3, 4],
  timeDeltas: [0, 2_000, 3_000, 5_000],
};

test('a layer costs the time in its own functions, and idleness is nobody’s', () => {
  expect([...layersOf(PROFILE)]).toEqual([
    ['ours: src/modules', 2_000],
    ['pg (protocol, pool, types)', 3_000],
  ]);
});

test('the flame graph has a box for each function, on top of its caller and as wide as its share', () => {
  const svg = flameGraph(PROFILE, 'A <title>');
  expect(svg).toContain('A &lt;title&gt;');
  expect(svg).not.toContain('idle');
  expect(svg).toContain('<title>list src/modules/notes/routes.ts 100.0 %</title>');
  expect(svg).not.toContain('file:');
  const boxes = [
    ...svg.matchAll(/<title>(\S+) .*?([\d.]+) %<\/title><rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g),
  ];
  expect(boxes.map(([, name, percent, , , width]) => [name, percent, width])).toEqual([
    ['all', '100.0', '1200.0'],
    ['list', '100.0', '1200.0'],
    ['query', '60.0', '720.0'],
  ]);
  expect(boxes.map(([, , , , y]) => Number(y))).toEqual([24, 40, 56]);
});
