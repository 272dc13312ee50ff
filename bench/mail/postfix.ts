/**
 * Debian's Postfix in the foreground, on a high port of loopback, with a queue and a log of its own: it takes every mail
 * as a real server does (with fsync), delivers it nowhere, and its log is the record of what it took.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, chownSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, waitForChild } from '../../scripts/embedded/child.ts';
import { choosePort } from '../../scripts/embedded/ports.ts';
import { POSTFIX_POLL_MS, POSTFIX_QUEUE_MS, POSTFIX_READY_MS, POSTFIX_STOP_MS } from './limits.ts';
import { deliveriesIn } from './postfix-log.ts';

export interface MailServer {
  readonly url: string;
  readonly version: string;
  /** By Message-ID and address, how often it took a mail; waits until it has dealt with so many in all. */
  deliveries(atLeast: number): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

/** @throws with the command that installs Postfix where there is none, and where it cannot run */
export async function startPostfix(): Promise<MailServer> {
  const program = findPostfix();
  if (process.getuid?.() !== 0) throw new Error('Postfix starts as root only: run this command as root.');
  // Its processes run as other accounts, which must reach the folder.
  const folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-postfix-'));
  const port = await choosePort('smtp', 'any');
  const log = path.join(folder, 'mail.log');
  const { uid, gid } = accountOf('postfix');
  for (const name of ['queue', 'data', 'config']) mkdirSync(path.join(folder, name), { mode: 0o755 });
  execFileSync('chmod', ['755', folder]);
  chownSync(path.join(folder, 'data'), uid, gid);
  writeFileSync(path.join(folder, 'config', 'main.cf'), mainSettings(folder, log));
  writeFileSync(path.join(folder, 'config', 'master.cf'), services(port));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const child = await startChild({
    folder,
    name: 'postfix',
    command: program,
    args: ['-c', path.join(folder, 'config'), 'start-fg'],
  });
  const stop = async () => {
    // The script that starts it waits for it, and passes no signal on.
    const master = masterOf(folder);
    if (master !== undefined) process.kill(master, 'SIGTERM');
    await Promise.race([child.exited, sleep(POSTFIX_STOP_MS, undefined, { ref: false })]);
    await child.stop([{ signal: 'SIGTERM', waitMs: POSTFIX_STOP_MS }]);
    remove();
  };
  try {
    await waitForChild(child, POSTFIX_READY_MS, () => greets(port));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `smtp://127.0.0.1:${port}`,
    version: execFileSync('postconf', ['-dh', 'mail_version'], { encoding: 'utf8' }).trim(),
    async deliveries(atLeast) {
      const deadline = performance.now() + POSTFIX_QUEUE_MS;
      for (;;) {
        const found = deliveriesIn(readFileSync(log, 'utf8'));
        const total = [...found.values()].reduce((sum, count) => sum + count, 0);
        if (total >= atLeast || performance.now() > deadline) return found;
        await sleep(POSTFIX_POLL_MS);
      }
    },
    stop,
  };
}

function masterOf(folder: string): number | undefined {
  try {
    return Number(readFileSync(path.join(folder, 'queue', 'pid', 'master.pid'), 'utf8'));
  } catch {
    return undefined; // it did not come that far
  }
}

export function findPostfix(searched = `${process.env['PATH'] ?? ''}:/usr/sbin`): string {
  const found = searched
    .split(path.delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, 'postfix'))
    .find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    'There is no postfix on the PATH. Install it:\n  apt-get install -y --no-install-recommends postfix\nIt need not be running.',
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function accountOf(name: string): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8').split('\n');
  const [, , uid, gid] = line.find((entry) => entry.startsWith(`${name}:`))?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`There is no account ${name}: is Postfix installed?`);
  return { uid: Number(uid), gid: Number(gid) };
}

/** No limit of Postfix's own on clients or on the rate, no DNS, no delivery. Long queue ids are never used twice. */
function mainSettings(folder: string, log: string): string {
  return `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${log}
maillog_file_prefixes = ${folder}
myhostname = postfix.test
mydestination =
mynetworks = 127.0.0.0/8
inet_protocols = ipv4
inet_interfaces = loopback-only
alias_maps =
alias_database =
local_recipient_maps =
default_transport = discard:
relay_transport = discard:
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_tls_security_level = none
smtputf8_enable = no
enable_long_queue_ids = yes
in_flow_delay = 0
biff = no
`;
}

function services(port: number): string {
  const service = (name: string, type: string, isPrivate: string, limit: string, command: string) =>
    `${[name, type, isPrivate, '-', 'n', '-', limit, command].join(' ')}\n`;
  return [
    service(`127.0.0.1:${port}`, 'inet', 'n', '-', 'smtpd'),
    service('cleanup', 'unix', 'n', '0', 'cleanup'),
    service('qmgr', 'unix', 'n', '1', 'qmgr'),
    service('rewrite', 'unix', '-', '-', 'trivial-rewrite'),
    ...['bounce', 'defer', 'trace'].map((name) => service(name, 'unix', '-', '0', 'bounce')),
    ...['error', 'retry'].map((name) => service(name, 'unix', '-', '-', 'error')),
    service('discard', 'unix', '-', '-', 'discard'),
    service('proxymap', 'unix', '-', '-', 'proxymap'),
    service('anvil', 'unix', '-', '1', 'anvil'),
    service('postlog', 'unix-dgram', 'n', '1', 'postlogd'),
  ].join('');
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(1_000, () => end(false));
    socket.once('error', () => end(false));
    socket.once('data', (chunk) => end(chunk.toString('latin1').startsWith('220')));
  });
}
