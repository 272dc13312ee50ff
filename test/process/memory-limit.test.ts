import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { StartError } from '../../src/errors.ts';
import { MEMORY_BYTES_MIN, NANO_BYTES } from '../../src/limits.ts';
import { memoryLimitBytes } from '../../src/process/cgroup.ts';
import { checkHeap, heapFlags, MALLOC_VARIABLES, memoryLimit } from '../../src/process/memory-limit.ts';
import { createTestDatabase } from '../database.ts';
import { testEnvironment } from '../worker.ts';
import { LAUNCH, launch } from './launched.ts';
import { createQuietLog } from './quiet-log.ts';

const MB = 1024 * 1024;
const GB = 1024 * MB;

test('the limit is that of the container, or that of a nano where there is none', () => {
  expect(memoryLimit(512 * MB, 16 * GB)).toEqual({ bytes: 512 * MB, source: 'container' });
  const assumed = { bytes: NANO_BYTES, source: 'assumed' };
  expect(memoryLimit(0, 16 * GB)).toEqual(assumed); // cgroup v2 without a limit
  expect(memoryLimit(2 ** 63, 16 * GB)).toEqual(assumed); // cgroup v1 without a limit
  expect(memoryLimit(16 * GB, 16 * GB)).toEqual(assumed);
});

test('a machine that is smaller than a nano is the limit, and so is a container that is smaller still', () => {
  expect(memoryLimit(0, 256 * MB)).toEqual({ bytes: 256 * MB, source: 'machine' });
  expect(memoryLimit(2 ** 63, 460 * MB)).toEqual({ bytes: 460 * MB, source: 'machine' }); // a t4g.nano, less the kernel
  expect(memoryLimit(512 * MB, 256 * MB)).toEqual({ bytes: 256 * MB, source: 'machine' });
  expect(memoryLimit(200 * MB, 256 * MB)).toEqual({ bytes: 200 * MB, source: 'container' });
  expect(memoryLimit(0, 512 * MB)).toEqual({ bytes: NANO_BYTES, source: 'assumed' });
  expect(heapFlags(memoryLimit(0, 256 * MB))).toEqual([
    '--max-old-space-size=102',
    '--max-semi-space-size=8',
    '--external-memory-accounted-in-global-limit',
  ]);
});

test.each([
  ['v2, its own', '0::/a/b', { 'a/b/memory.max': '300000000' }, 300_000_000],
  ['v2, of the group around it', '0::/a/b', { 'a/memory.max': '300000000', 'a/b/memory.max': 'max' }, 300_000_000],
  [
    'v2, larger than that of the group around it',
    '0::/a/b',
    { 'a/memory.max': '3000', 'a/b/memory.max': '9000' },
    3000,
  ],
  ['v2, where the kernel slows it down', '0::/a/b', { 'a/memory.high': '2000', 'a/b/memory.max': '9000' }, 2000],
  ['v2, in a container', '0::/host/path', { 'memory.max': '4000' }, 4000],
  ['v2, none', '0::/a/b', { 'a/memory.max': 'max', 'a/b/memory.max': 'max' }, Number.POSITIVE_INFINITY],
  ['v2, that cannot be read', '0::/a/b', { 'a/b/other': '' }, Number.POSITIVE_INFINITY],
  ['v2, empty', '0::/', { 'memory.max': '' }, Number.POSITIVE_INFINITY],
  ['v2, of a path that leads out', '0::/../a', { 'memory.max': '4000' }, 4000],
  [
    'v1, of the group around it',
    '4:memory:/a/b',
    { 'memory/a/memory.limit_in_bytes': '300000000', 'memory/a/b/memory.limit_in_bytes': '9223372036854771712' },
    300_000_000,
  ],
  ['outside Linux', undefined, {}, Number.POSITIVE_INFINITY],
])('the smallest limit around a process counts: %s', (_, group, files, bytes) => {
  const root = mkdtempSync(join(tmpdir(), 'cgroups-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const roots = { proc: join(root, 'proc'), cgroups: join(root, 'cgroup') };
  const write = (file: string, text: string) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${text}\n`);
  };
  if (group !== undefined) write(join(roots.proc, 'self', 'cgroup'), group);
  for (const [name, text] of Object.entries(files)) write(join(roots.cgroups, name), text);
  expect(memoryLimitBytes(roots)).toBe(bytes);
});

test.each(['container', 'machine'] as const)('a %s that is too small is refused in one sentence', (source) => {
  const { log } = createQuietLog();
  const start = () => checkHeap(log, { bytes: 128 * MB, source }, 90 * MB);
  expect(start).toThrow(`Tardigrade needs 192 MB of memory for each process; this ${source} has 128 MB.`);
});

test('a heap that may outgrow a small machine is refused too', () => {
  const { log } = createQuietLog();
  expect(() => checkHeap(log, { bytes: 256 * MB, source: 'machine' }, 2_096 * MB)).toThrow(
    'V8 may grow to 2096 MB in a machine of 256 MB',
  );
});

test.each([
  [128, 64, 8],
  [256, 102, 8],
  [383, 153, 8],
  [384, 153, 16],
  [512, 204, 16],
  [1024, 409, 16],
])('a container of %i MB gets an old space of %i MB and semi-spaces of %i MB', (limitMb, oldMb, semiMb) => {
  expect(heapFlags({ bytes: limitMb * MB, source: 'container' })).toEqual([
    `--max-old-space-size=${oldMb}`,
    `--max-semi-space-size=${semiMb}`,
    '--external-memory-accounted-in-global-limit',
  ]);
});

test('from the smallest size on, the flags leave a quarter of the container for everything but the heap', () => {
  for (let limitMb = MEMORY_BYTES_MIN / MB; limitMb <= 4_096; limitMb += 16) {
    const limit = { bytes: limitMb * MB, source: 'container' as const };
    const [oldMb = 0, semiMb = 0] = heapFlags(limit).map((flag) => Number(flag.split('=')[1]));
    const { log } = createQuietLog();
    expect(() => checkHeap(log, limit, (oldMb + 3 * semiMb) * MB), `${limitMb} MB`).not.toThrow();
  }
});

test('a heap that may outgrow the container is refused at start, with flags that would fit', () => {
  const { log } = createQuietLog();
  const start = () => checkHeap(log, { bytes: 256 * MB, source: 'container' }, 2_096 * MB);
  expect(start).toThrow(StartError);
  expect(start).toThrow(/2096 MB in a container of 256 MB.*--max-old-space-size=102 --max-semi-space-size=8/);
});

test('without a container limit, a heap that is too large is only a warning', () => {
  const { log, warn } = createQuietLog();
  checkHeap(log, { bytes: NANO_BYTES, source: 'assumed' }, 4 * GB);
  expect(warn).toHaveBeenCalledExactlyOnceWith(
    { limitMb: 512, heapMb: 4_096, source: 'assumed' },
    expect.stringContaining('start through the launcher'),
  );
});

test('the launcher replaces itself by node with the flags and malloc’s variables, in the same process, and V8 obeys them', async () => {
  const database = await createTestDatabase({ replica: false });
  try {
    // Preloaded in both passes, it tells from inside how node was started.
    const witness =
      'data:text/javascript,console.error(JSON.stringify([process.pid,process.execArgv,process.env.MALLOC_ARENA_MAX??null]))';
    const { child, ended, stderr, lines } = launch(['--import', witness, LAUNCH, 'migrate'], {
      ...(await testEnvironment(database)),
      DATABASE_REPLICA_URL: '',
      LOG_LEVEL: 'info',
    });
    expect(await ended).toMatchObject({ code: 0 });

    const flags = heapFlags(memoryLimit());
    const passes = stderr()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(passes).toEqual([
      [child.pid, ['--import', witness], null],
      [child.pid, ['--import', witness, ...flags], MALLOC_VARIABLES.MALLOC_ARENA_MAX],
    ]);
    const said = lines().find(({ msg }) => msg === 'heap fits the memory limit');
    expect(said).toMatchObject({ pid: child.pid, limitMb: Math.round(memoryLimit().bytes / MB) });
    expect(said?.['heapMb']).toBeLessThan((said?.['limitMb'] as number) * 0.75);
  } finally {
    await database.close();
  }
});

test.each([[['nonsense']], [[]], [['../../etc/passwd']]])(
  'an unknown worker (%j) is answered with the names of all workers',
  async (args) => {
    const { ended, output } = launch([LAUNCH, ...args]);
    expect(await ended).toMatchObject({ code: 64 });
    expect(output()).toBe('Which worker? One of api, mailer, chat, all, migrate, for example: npm run start:api\n');
  },
);
