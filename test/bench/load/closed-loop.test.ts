import { afterEach, expect, test } from 'vitest';
import { startLoad } from '../../../bench/load/start-load.ts';
import { answerJson, GET_ITEM, listen } from './loopback-server.ts';

let server: Awaited<ReturnType<typeof listen>> | undefined;
afterEach(() => server?.close());

test('capacity counts right answers only', async () => {
  let asked = 0;
  server = await listen((_request, response) => answerJson(response, { id: ++asked % 2 }));
  const request = { ...GET_ITEM, check: { name: 'object', args: { id: 1 } } } as const;
  const figures = await startLoad({ kind: 'closed-loop', url: server.url, request, connections: 2, seconds: 1 })
    .figures;
  const answers = figures.statuses['200'] as number;
  expect(figures.wrong).toBe(Math.floor(answers / 2));
  expect(figures.wrongSamples[0]).toBe('id 0 where 1 was asked for');
  expect(figures.perSecond).toBeGreaterThan(0);
  expect(figures.failed).toBe(0);
});
