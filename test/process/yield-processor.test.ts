import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createPasswordHasher } from '../../src/http/password-hashing.ts';
import { POOL_THREADS_NICE } from '../../src/limits.ts';
import { poolThreads } from '../../src/process/yield-processor.ts';

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

function nicenessOf(thread: number): number {
  const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[FIELD_OF_NICENESS]);
}
