import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { MB, type PatternCase } from '../pattern.ts';

type Twin = { commandLine(program: readonly string[]): string[] };
type Input = { readonly batches: number };

const BOX_BYTES = 192 * MB; // MEMORY_BYTES_MIN
const BATCHES = 400;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/process/memory-limit.ts',
  withoutIt: 'V8 takes more memory than the container has, and the kernel kills the process',
  asks: `Make ${BATCHES} batches of 10,000 rows in a container of ${BOX_BYTES / MB} MB, with a cache of the last ones that may fill half of the heap.`,
  breaks: 'the kernel kills the process, whose heap may be larger than its container',
  holds: 'all batches are made',
  headline: ({ batches = 0 }) => `${batches} of ${BATCHES} batches made`,
  boxBytes: BOX_BYTES,
  small: { batches: 20 },
  full: { batches: BATCHES },

  async perform({ commandLine }, { batches }) {
    const program = [path.join(import.meta.dirname, 'batches.ts'), String(batches)];
    const child = spawn(process.execPath, commandLine(program), { stdio: ['ignore', 'pipe', 'inherit'] });
    let digest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      digest += chunk;
    });
    await once(child, 'close');
    return { digest, figures: { batches: digest === '' ? 0 : batches } };
  },

  isBroken: ({ ending }) => ending === 'OOM-killed',
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.batches === BATCHES,
};
