/**
 * A Chromium for the browser tests: CHROMIUM_PATH, else one from the PATH, else, as root on Debian or Ubuntu, one that
 * is installed from the archive, with a font (without one, every letter is an empty box).
 */
import { accessSync, constants, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runToEnd } from './child.ts';
import { APT_MS } from './limits.ts';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const PACKAGES = ['chromium', 'fonts-dejavu-core'];
const INSTALL = `apt-get update && apt-get install --yes --no-install-recommends ${PACKAGES.join(' ')}`;

/** @throws with the command that installs Chromium if this machine has none and we are not allowed to install it */
export async function chromiumProgram(environment: NodeJS.ProcessEnv): Promise<string> {
  const given = environment.CHROMIUM_PATH;
  if (given) {
    if (isExecutable(given)) return given;
    throw new Error(`CHROMIUM_PATH is ${given}, but there is no program at that path`);
  }
  const folders = (environment.PATH ?? '').split(path.delimiter);
  const found = findChromium(folders);
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(howToInstall());
  await installChromium().catch((cause: Error) => {
    throw new Error(`${howToInstall()}\nInstalling it with apt failed: ${cause.message}`, { cause });
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
  // The package lists may be missing (a slim image) or old: they are updated only if the installation fails without.
  await apt(install).catch(async () => {
    await apt(['update']);
    await apt(install);
  });
}

async function apt(args: string[]): Promise<void> {
  const folder = path.join(tmpdir(), `tardigrade-apt-${process.pid}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  await runToEnd({ folder, name: 'apt-get', command: 'apt-get', args, env, deadlineMs: APT_MS });
  rmSync(folder, { recursive: true, force: true }); // after a failure the log is kept
}

function howToInstall(): string {
  if (process.platform === 'darwin') {
    return 'Chromium is not installed on this machine. Install it (brew install --cask chromium) or point CHROMIUM_PATH at one.';
  }
  return `Chromium is not installed on this machine. Install it (sudo sh -c '${INSTALL}') or point CHROMIUM_PATH at one.`;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return path.isAbsolute(file);
  } catch {
    return false;
  }
}
