import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createPasswordHasher } from '../../src/http/password-hashing.ts';
import { POOL_THREADS_NICE } from '../../src/limits.ts';
import { poolThreads } from '../../src/process/yield-processor.ts';

vi.mock('node:os', async (original) => {
  const os = await original<typeof import('node:os')>();
  return { ...os, setPriority: vi.fn(os.setPriority) };
});

const FIELD_OF_NICENESS = 16; // of those after the name, in proc(5)

test.runIf(process.platform === 'linux')(
  'the threads that hash passwords give way to the one that answers requests',
  async () => {
    await createPasswordHasher().hash('correct horse battery staple');
    const threads = poolThreads();
    expect(threads.length).toBeGreaterThan(0);
    expect(threads.map(nicenessOf)).toEqual(threads.map(() => POOL_THREADS_NICE));
    expect(nicenessOf(process.pid)).toBeLessThan(POOL_THREADS_NICE);
  },
);

test.runIf(process.platform === 'linux')('a sandbox that forbids niceness turns nobody away', async () => {
  const forbidden = vi.mocked(setPriority).mockImplementation(() => {
    throw new Error('uv_os_setpriority returned EPERM (operation not permitted)');
  });
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  onTestFinished(() => {
    forbidden.mockReset();
    warnings.mockRestore();
  });
  const hasher = createPasswordHasher();
  expect(await hasher.verify('correct horse battery staple', await hasher.hash('correct horse battery staple'))).toBe(
    true,
  );
  expect(forbidden).toHaveBeenCalled();
  expect(warnings).toHaveBeenCalledWith(expect.stringContaining('EPERM'));
});

function nicenessOf(thread: number): number {
  const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[FIELD_OF_NICENESS]);
}
