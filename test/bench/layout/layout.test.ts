import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseDriver } from '../../../bench/box/choose-driver.ts';
import type { LayoutKind } from '../../../bench/layout/boxes.ts';
import { type Layout, startLayout } from '../../../bench/layout/layout.ts';
import { startChild, waitForChild } from '../../../scripts/embedded/child.ts';
import { freePort } from '../../../scripts/embedded/ports.ts';
import { workerEnvironment } from '../../../scripts/embedded/worker-environment.ts';

const MB = 2 ** 20;
const SCALE = 0.02;
const START_MS = 120_000;
const enforced = (await chooseDriver()).driver.name !== 'none';

function describeLayout(kind: LayoutKind, tests: (layout: () => Layout, folder: string) => void): void {
  describe.skipIf(!enforced)(`the layout ${kind}`, () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'layout-test-'));
    let layout: Layout;
    beforeAll(async () => {
      layout = await startLayout({ kind, seedScale: SCALE, folder });
    });
    afterAll(async () => {
      await layout?.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    tests(() => layout, folder);
  });
}

describeLayout('nano-each', (layout, folder) => {
  test('gives each part a box of 512 MB that its processes are really held to', () => {
    expect([...layout().boxes.keys()].sort()).toEqual(['api', 'chat', 'mail', 'mailer', 'primary', 'redis', 'replica']);
    for (const box of layout().boxes.values()) {
      expect(box.limitBytes).toBe(512 * MB);
      expect(box.pids().length).toBeGreaterThan(0);
    }
    expect(layout().inconclusiveReasons()).toEqual([]);
  });

  test('charges each worker for its runtime, as a nano would', () => {
    for (const part of ['api', 'mailer', 'chat']) {
      const { neededPeakBytes, peakBytes, oomKills } = layout().boxes.get(part)?.figures() ?? {};
      // Node's own program is some 40 MB of it; from the shared cache a worker would seem to need about half.
      expect(neededPeakBytes).toBeGreaterThan(60 * MB);
      expect(peakBytes).toBeLessThan(300 * MB);
      expect(oomKills).toBe(0);
    }
  });

  test('is durable and seeded, on the primary and on the replica', async () => {
    const { databaseUrl, databaseReplicaUrl } = layout().addresses;
    for (const url of [databaseUrl, databaseReplicaUrl]) {
      expect(await query(url, "select current_setting('fsync') as answer")).toBe('on');
      expect(await query(url, 'select count(*)::int as answer from organisations')).toBe(10);
    }
  });

  test.each(['api', 'redis', 'primary'])('brings %s back in its box after kill -9', async (part) => {
    const before = layout().pid(part);
    await layout().kill(part, 'SIGKILL');
    expect(layout().pid(part)).toBeUndefined();
    await layout().restart(part);
    expect(layout().pid(part)).not.toBe(before);
    expect(layout().inconclusiveReasons()).toEqual([]);
  });

  test('tells of a worker that died by itself, and not of one that was killed on purpose', async () => {
    expect(layout().deaths()).toEqual([]);
    process.kill(layout().pid('chat') ?? 0, 'SIGKILL');
    await expect.poll(() => layout().deaths()).toEqual([expect.stringContaining('chat died (signal SIGKILL)')]);
    await layout().restart('chat');
  });

  test('holds a process that is stopped in full, and lets it go on', async () => {
    await layout().kill('primary', 'SIGSTOP');
    const answer = query(layout().addresses.databaseUrl, 'select 1 as answer');
    const first = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 300, 'nothing yet'))]);
    expect(first).toBe('nothing yet');
    await layout().kill('primary', 'SIGCONT');
    expect(await answer).toBe(1);
  });

  test('samples the memory of every box', () => {
    const samples = layout().memorySamples();
    expect(Object.keys(samples).sort()).toEqual([...layout().boxes.keys()].sort());
    for (const series of Object.values(samples)) expect(series[0]?.[1]).toBeGreaterThan(0);
  });

  test('refuses a part that there is not', async () => {
    await expect(layout().kill('mongo', 'SIGKILL')).rejects.toThrow('no part mongo; there are mail, redis');
  });

  test('serves from a folder that holds what the image holds, and nothing else', async () => {
    const image = path.join(folder, 'image');
    for (const name of ['dist', 'web', 'migrations', 'package.json']) {
      cpSync(name, path.join(image, name), { recursive: true });
    }
    const ports = { api: await freePort(), chat: await freePort(), mailer: await freePort() };
    const env = workerEnvironment({ ...layout().addresses, ports }, {});
    const args = [path.join('dist', 'launch.js'), 'api'];
    const child = await startChild({ folder, name: 'image', command: process.execPath, args, cwd: image, env });
    try {
      const at = `http://127.0.0.1:${ports.api}`;
      await waitForChild(child, START_MS, () =>
        fetch(`${at}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      );
      expect((await fetch(`${at}/`)).headers.get('content-type')).toContain('text/html');
    } finally {
      await child.stop([{ signal: 'SIGTERM', waitMs: 10_000 }]);
    }
  });
});

describeLayout('one-nano', (layout) => {
  test('holds everything but the world outside in one box of 512 MB', () => {
    expect([...layout().boxes.keys()]).toEqual(['nano']);
    const pids = layout().boxes.get('nano')?.pids() ?? [];
    for (const part of ['primary', 'replica', 'redis', 'all']) expect(pids).toContain(layout().pid(part));
    expect(pids).not.toContain(layout().pid('mail'));
    expect(layout().inconclusiveReasons()).toEqual([]);
  });

  test('serves api, chat and mailer from one process', async () => {
    const { api, chat } = layout().addresses;
    for (const url of [`${api}/readyz`, `${chat}/readyz`]) expect((await fetch(url)).status).toBe(200);
    expect(layout().pid('chat')).toBe(layout().pid('api'));
  });

  test('idles in less than 300 of its 512 MB', () => {
    const figures = layout().boxes.get('nano')?.figures();
    expect(figures?.oomKills).toBe(0);
    expect(figures?.neededPeakBytes).toBeLessThan(300 * MB);
  });
});

describe.skipIf(!enforced)('a layout with another program', () => {
  test('runs it in the box and on the port of its part, and has no box for a part that is left out', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'layout-test-'));
    const answer = "http.createServer((_, answer) => answer.end('mine')).listen(process.env.API_PORT, '127.0.0.1')";
    const layout = await startLayout({
      ...{ kind: 'nano-each', seedScale: SCALE, folder },
      ...{ programs: { api: ['--eval', answer] }, without: ['mailer', 'chat'] },
    });
    try {
      expect(layout.parts).toEqual(['mail', 'redis', 'primary', 'replica', 'api']);
      expect([...layout.boxes.keys()]).toEqual(layout.parts);
      expect(layout.boxes.get('api')?.pids()).toEqual([layout.pid('api')]);
      expect(await (await fetch(layout.addresses.api)).text()).toBe('mine');
      await expect(layout.restart('chat')).rejects.toThrow('no part chat');
    } finally {
      await layout.stop();
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(!enforced)('a layout that has stopped', () => {
  test('leaves its logs, and no box, no data and no process', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'layout-test-'));
    const layout = await startLayout({ kind: 'one-nano', seedScale: SCALE, folder });
    const parts = layout.parts.map((part) => layout.pid(part));
    expect(parts).not.toContain(undefined);
    await layout.stop();
    expect(layout.parts.map((part) => layout.pid(part))).toEqual(parts.map(() => undefined));
    expect(existsSync(path.join(folder, 'logs', 'all.log'))).toBe(true);
    expect(existsSync(path.join(folder, 'postgres'))).toBe(false);
    rmSync(folder, { recursive: true });
  });
});

async function query(url: string, text: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows[0]?.answer;
  } finally {
    await client.end();
  }
}
