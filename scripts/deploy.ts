/**
 * `npm run deploy -- user@host`: builds this checkout, sends it to a machine that deploy/nano/setup.sh has prepared, and
 * puts it in the place of the release that runs there. Not one request fails meanwhile: Caddy holds them.
 *
 *   --rollback   the release before, again
 *   --list       what is there
 *
 * ssh's own settings apply (~/.ssh/config: port, key, user). A user who is not root needs sudo for tardigrade-release.
 * Exit code: 0 it runs; 1 it does not, and the one before goes on; 64 invalid arguments.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

const ROOT = path.resolve(import.meta.dirname, '..');
const CONTENT = ['dist', 'migrations', 'web', 'package.json'];
const NODES = '/opt/tardigrade/node';
const EXIT_FAILED = 1;
const EXIT_USAGE = 64;
const USAGE = 'npm run deploy -- user@host [--rollback | --list]';

const { host, rollback, list } = readOptions();
const release = (...args: string[]) => [...(host.startsWith('root@') ? [] : ['sudo']), 'tardigrade-release', ...args];
try {
  if (list) await remotely(release('list'));
  else if (rollback) await remotely(release('rollback'));
  else await deploy();
} catch (error) {
  console.error((error as Error).message);
  process.exit(EXIT_FAILED);
}

async function deploy(): Promise<void> {
  const id = nameOfRelease();
  const node = `${NODES}/${process.version}`;
  execFileSync(process.execPath, [path.join('scripts', 'build.ts')], { cwd: ROOT, stdio: 'inherit' });
  const machine = execFileSync('ssh', [host, 'uname', '-sm'], { encoding: 'utf8' }).trim();
  if (machine !== execFileSync('uname', ['-sm'], { encoding: 'utf8' }).trim())
    throw new Error(
      `${host} is ${machine}, and this is not: its Node would not run there. Deploy from a machine like it.`,
    );
  console.log(`sending ${id}`);
  if (!hasNode(node)) {
    const [folder, file] = [path.dirname(process.execPath), path.basename(process.execPath)];
    await send(['--directory', folder, file], ['receive-node', process.version]);
  }
  await send(['--directory', ROOT, ...CONTENT], ['receive', id, `${node}/node`]);
  await remotely(release('switch', id));
}

/** Sorts by time; what it was built from, and whether that was committed. */
function nameOfRelease(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  return `${time}-${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : '-dirty'}`;
}

/** Node is larger than everything else together, and stays the same over many releases. */
function hasNode(folder: string): boolean {
  return spawnSync('ssh', [host, 'test', '-x', `${folder}/node`], { stdio: 'ignore' }).status === 0;
}

async function send(files: readonly string[], command: readonly string[]): Promise<void> {
  const tar = spawn('tar', ['--create', '--gzip', ...files], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ssh = spawn('ssh', [host, ...release(...command)], { stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = endOf(ssh, `tardigrade-release ${command[0]}`);
  await Promise.all([ended, pipeline(tar.stdout, ssh.stdin)]);
}

function remotely(command: readonly string[]): Promise<void> {
  return endOf(spawn('ssh', [host, ...command], { stdio: 'inherit' }), command.join(' '));
}

function endOf(child: ReturnType<typeof spawn>, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${what} on ${host} ended with ${code}`))));
  });
}

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { rollback: { type: 'boolean', default: false }, list: { type: 'boolean', default: false } },
    });
    const [host, ...more] = positionals;
    if (host === undefined || more.length > 0 || host.startsWith('-')) throw new Error('One machine: user@host');
    return { host, ...values };
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(EXIT_USAGE);
  }
}
