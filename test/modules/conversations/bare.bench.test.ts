import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { startLoad } from '../../../bench/load/start-load.ts';
import { processFigures } from '../../../bench/modules/conversations/idle-sockets/process-figures.ts';
import { loopbackAddresses } from '../../../bench/modules/conversations/loopback-addresses.ts';
import { SOCKETS } from '../../../bench/modules/conversations/sockets-plan.ts';
import { freePort } from '../../../scripts/embedded/ports.ts';
import { superviseWorker } from '../../../scripts/embedded/supervise.ts';

const PEOPLE = 30;
const BARE = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  'bench',
  'modules',
  'conversations',
  'idle-sockets',
  'bare.ts',
);
const folder = mkdtempSync(join(tmpdir(), 'tardigrade-bare-'));

afterAll(() => rmSync(folder, { recursive: true }));

test('bare ws lets in the people that the generator brings to a chat, and tells how many they are', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const bare = await superviseWorker({
    ...{ folder, name: 'bare', command: process.execPath, args: [BARE], restart: false },
    env: { ...process.env, CHAT_PORT: String(port), HOST: '127.0.0.1' },
    readyUrl: `${url}/readyz`,
  });
  onTestFinished(bare.stop);
  const load = startLoad({
    ...{
      kind: SOCKETS,
      url,
      tokens: Array.from({ length: PEOPLE }, (_, n) => `1.${n}.x`),
      addresses: loopbackAddresses(3),
    },
    ...{ connectSeconds: 0.5, mode: 'hold', pace: { kind: 'think', minMs: 20, maxMs: 100 }, seconds: 60, seed: 1 },
  });
  await load.event('connected');
  expect(await processFigures(url)).toMatchObject({ sockets: PEOPLE });
  load.stop();
  expect(await load.figures).toMatchObject({ connectedMax: PEOPLE, refusedLinks: 0, refusedConnections: 0 });
});
