/**
 * A real Kubernetes API server with its etcd, on loopback: it validates, defaults, admits and warns as any cluster does.
 * No controller and no node runs, so what it accepts stays as it was said.
 */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { type Child, startChild, waitForChild } from '../scripts/embedded/child.ts';
import { freePort } from '../scripts/embedded/ports.ts';

const { KUBE_APISERVER = 'kube-apiserver', ETCD = 'etcd' } = process.env;
const READY_MS = 60_000;
const STOP_MS = 10_000;
const KUBECTL_MS = 60_000;

/** What is not installed, by name: nobody has an API server by chance. */
export const MISSING = [
  [KUBE_APISERVER, '--version'],
  [ETCD, '--version'],
  ['kubectl', 'version', '--client'],
].flatMap(([command = '', ...args]) => (spawnSync(command, args).status === 0 ? [] : [command]));

export interface KubernetesServer {
  /** Runs kubectl as an administrator; what it prints for people, warnings of the server included, is in `stderr`. */
  kubectl(args: readonly string[], input?: string): { status: number | null; stdout: string; stderr: string };
  stop(): Promise<void>;
}

export async function startKubernetes(): Promise<KubernetesServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-kubernetes-'));
  const at = (file: string) => path.join(folder, file);
  const [port, etcdPort, peerPort] = [await freePort(), await freePort(), await freePort()];
  const etcd = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const token = randomBytes(16).toString('hex');
  writeFileSync(at('tokens.csv'), `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  writeFileSync(at('accounts.pem'), accountKey(), { mode: 0o600 });
  writeFileSync(at('kubeconfig'), kubeconfig(port, at('certs/apiserver.crt'), token), { mode: 0o600 });

  const children: Child[] = [];
  const start = async (name: string, command: string, args: string[]) => {
    const child = await startChild({ folder, name, command, args });
    children.push(child);
    return child;
  };
  const kubectl: KubernetesServer['kubectl'] = (args, input = '') =>
    spawnSync('kubectl', [`--kubeconfig=${at('kubeconfig')}`, `--cache-dir=${at('cache')}`, ...args], {
      input,
      encoding: 'utf8',
      timeout: KUBECTL_MS,
    });
  const stop = async () => {
    for (const child of children.toReversed()) await child.stop([{ signal: 'SIGTERM', waitMs: STOP_MS }]);
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    await start('etcd', ETCD, [
      `--data-dir=${at('etcd')}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--unsafe-no-fsync',
    ]);
    const server = await start('kube-apiserver', KUBE_APISERVER, [
      `--etcd-servers=${etcd}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${at('certs')}`,
      `--token-auth-file=${at('tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${at('accounts.pem')}`,
      `--service-account-key-file=${at('accounts.pem')}`,
    ]);
    await waitForChild(server, READY_MS, () => kubectl(['get', '--raw=/readyz']).status === 0);
  } catch (error) {
    await stop();
    throw error;
  }
  return { kubectl, stop };
}

function accountKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs1', format: 'pem' });
}

function kubeconfig(port: number, authority: string, token: string): string {
  const name = 'test';
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority': authority } }],
    users: [{ name, user: { token } }],
  });
}
