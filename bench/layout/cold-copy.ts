/**
 * Copies whose pages are not in the page cache, so that the box that reads them first is charged for them.
 *
 * What fails without it: a program that runs elsewhere on the machine already (this very node) is in the cache at
 * somebody else's cost, and a box that runs it looks some 40 MB smaller than a nano would be.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { COPY_MS, DROP_BYTES_MIN } from './limits.ts';

const run = promisify(execFile);

/** Copies a file or folder as it is; `to` takes its name only when it is whole. */
export async function copyWhole(from: string, to: string): Promise<void> {
  const partial = `${to}.partial-${process.pid}`;
  mkdirSync(path.dirname(to), { recursive: true });
  rmSync(partial, { recursive: true, force: true });
  await run('cp', ['-a', '--reflink=auto', from, partial], { timeout: COPY_MS });
  rmSync(to, { recursive: true, force: true });
  renameSync(partial, to);
}

/** A copy of a program for one box, kept between runs and made afresh when the original has changed. */
export async function keepCopy(from: string, to: string): Promise<void> {
  // cp -a keeps the time of the original.
  if (existsSync(to) && statSync(to).mtimeMs === statSync(from).mtimeMs) return;
  await copyWhole(from, to);
}

/** Takes what is below these places out of the page cache, as far as nobody has it mapped. */
export async function dropFromCache(places: readonly string[]): Promise<void> {
  // Only clean pages can go.
  await run('sync', ['-f', ...places], { timeout: COPY_MS });
  const files = ['-type', 'f', '-size', `+${DROP_BYTES_MIN / 1024}k`];
  const drop = ['-exec', 'dd', 'if={}', 'iflag=nocache', 'count=0', 'status=none', ';'];
  await run('find', [...places, ...files, ...drop], { timeout: COPY_MS });
}
