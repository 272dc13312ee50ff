/**
 * A Chromium for the browser tests: CHROMIUM_PATH, else one from the PATH, else, for root on Debian or Ubuntu, the
 * archive's own, installed with a font (without one, every letter is an empty box).
 */
import { accessSync, constants, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runToEnd } from './child.ts';
import { APT_MS } from './limits.ts';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const PACKAGES = ['chromium', 'fonts-dejavu-core'];
const INSTALL = `apt-get update && apt-get install --yes --no-install-recommends ${PACKAGES.join(' ')}`;

/** @throws with the line that installs Chromium when this machine has none and we may not install it */
export async function chromiumProgram(environment: NodeJS.ProcessEnv): Promise<string> {
  const given = environment.CHROMIUM_PATH;
  if (given) {
    if (isExecutable(given)) return given;
    throw new Error(`CHROMIUM_PATH is ${given}, and there is no program at that place`);
  }
  const folders = (environment.PATH ?? '').split(path.delimiter);
  const found = findChromium(folders);
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(howToInstall());
  await installChromium().catch((cause: Error) => {
    throw new Error(`${howToInstall()}\nInstalling it by apt failed: ${cause.message}`, { cause });
  });
  const installed = findChromium([...folders, '/usr/bin']);
  if (installed === undefined) throw new Error(howToInstall());
  return installed;
}

function findChromium(folders: string[]): string | undefined {
  return PROGRAMS.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isExecutable);
}

async function installChromium(): Promise<void> {
  const install = ['install', '--yes', '--no-install-recommends', ...PACKAGES];
  // The lists may be missing (a slim image) or old: fetched only when it does not work without.
  await apt(install).catch(async () => {
    await apt(['update']);
    await apt(install);
  });
}

async function apt(args: string[]): Promise<void> {
  const folder = path.join(tmpdir(), `tardigrade-apt-${process.pid}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  await runToEnd({ folder, name: 'apt-get', command: 'apt-get', args, env, deadlineMs: APT_MS });
  rmSync(folder, { recursive: true, force: true }); // after a failure the log stays
}

function howToInstall(): string {
  if (process.platform === 'darwin') {
    return 'There is no Chromium on this machine. Install one (brew install --cask chromium) or point CHROMIUM_PATH at one.';
  }
  return `There is no Chromium on this machine. Install one (sudo sh -c '${INSTALL}') or point CHROMIUM_PATH at one.`;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return path.isAbsolute(file);
  } catch {
    return false;
  }
}
