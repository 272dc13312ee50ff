/**
 * A cluster as operators run it: Patroni beside each PostgreSQL, etcd to agree on who leads, HAProxy in front with one
 * port for the leader and one for replicas. The nodes are the parts `primary` and `replica` of a layout, each in its
 * nano; which of them leads changes. etcd and HAProxy are elsewhere, as they are in production.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Child, startChild, type WrapCommand, waitForChild } from '../../scripts/embedded/child.ts';
import { openOperatorTools } from '../../scripts/embedded/operator-tools.ts';
import { choosePort } from '../../scripts/embedded/ports.ts';
import { chooseAccount, handOver, postgresHome } from '../../scripts/embedded/postgres-account.ts';
import { addressesOf } from '../../scripts/embedded/postgres-roles.ts';
import { loadSecrets } from '../../scripts/embedded/secrets.ts';
import type { DatabaseAddresses, Databases, RunningPart } from '../layout/parts.ts';
import { ETCD_READY_MS, NODE_READY_MS, POLL_MS, PROXY_READY_MS, STOP_MS } from './limits.ts';
import { type NodeName, type NodePorts, nodeSettings, sharedSettings } from './patroni.ts';
import { proxySettings } from './proxy.ts';

const NODES: readonly NodeName[] = ['primary', 'replica'];

export interface Cluster extends Databases {
  /** Who holds the lead and takes writes, asked of the nodes themselves; undefined while nobody does. */
  leader(): Promise<NodeName | undefined>;
  /** Whether Patroni would let a replica take over: it has written down, in etcd, that this one has every commit. */
  hasSuccessor(): Promise<boolean>;
  /** How many connections the proxy has sent to the node as a replica. */
  readsSentTo(node: NodeName): Promise<number>;
}

export interface ClusterOptions {
  readonly folder: string;
  /** Whether a commit waits for the replica. */
  readonly synchronous: boolean;
}

/** Starts etcd and HAProxy; the nodes start as parts of the layout. `folder` holds seeded data and the secrets. */
export async function openCluster({ folder, synchronous }: ClusterOptions): Promise<Cluster> {
  const root = await openOperatorTools();
  const secrets = loadSecrets(folder);
  const own = path.join(folder, 'cluster');
  mkdirSync(own, { recursive: true });
  handOver(own, chooseAccount());
  const home = postgresHome(folder, chooseAccount());
  const port = () => choosePort('primary', 'any');
  const ports = {
    etcd: await port(),
    peer: await port(),
    writes: await port(),
    reads: await port(),
    stats: await port(),
  };
  const nodePorts = { primary: await nodePortsOf(port), replica: await nodePortsOf(port) };
  const children: Child[] = [];
  const start = async (name: string, command: string, args: readonly string[], wrap?: WrapCommand) => {
    const inside = root.inside([path.dirname(folder), home], command, args);
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC', HOME: own };
    return startChild({ folder, name, ...inside, env, wrap });
  };
  const close = async () => {
    for (const child of children.toReversed()) await child.stop([{ signal: 'SIGTERM', waitMs: STOP_MS }]);
  };

  const isLeader = async (node: NodeName) => (await statusOf(nodePorts[node].rest, '/primary')) === 200;
  try {
    const etcd = `http://127.0.0.1:${ports.etcd}`;
    const agreement = await start('etcd', '/usr/bin/etcd', etcdArguments(path.join(own, 'etcd'), etcd, ports.peer));
    children.push(agreement);
    await waitForChild(agreement, ETCD_READY_MS, async () => (await statusOf(ports.etcd, '/health')) === 200);
    await putKey(etcd, '/service/tardigrade/config', JSON.stringify(sharedSettings(synchronous)));

    const settings = path.join(own, 'haproxy.cfg');
    writeFileSync(settings, proxySettings(ports, nodePorts));
    const proxy = await start('proxy', '/usr/sbin/haproxy', ['-db', '-f', settings]);
    children.push(proxy);
    await waitForChild(proxy, PROXY_READY_MS, async () => (await statusOf(ports.stats, '/stats;csv')) === 200);
  } catch (error) {
    await close();
    throw error;
  }

  const addresses = (): DatabaseAddresses => {
    const [writes, reads] = [addressesOf(ports.writes, secrets), addressesOf(ports.reads, secrets)];
    return {
      databaseUrl: writes.url,
      workerDatabaseUrl: writes.workerUrl,
      databaseAdminUrl: writes.adminUrl,
      databaseReplicaUrl: reads.url,
      workerDatabaseReplicaUrl: reads.workerUrl,
    };
  };

  async function startNode(node: NodeName, wrap: WrapCommand): Promise<RunningPart> {
    const dataFolder = path.join(home, node);
    // The seeded replica follows a server that is not part of the cluster: Patroni copies the leader instead.
    if (node === 'replica' && !started.has(node)) rmSync(dataFolder, { recursive: true, force: true });
    started.add(node);
    const settings = path.join(own, `${node}.yml`);
    const { etcd } = ports;
    writeFileSync(settings, nodeSettings({ node, etcd, ports: nodePorts[node], dataFolder, secrets }));
    const child = await start(node, '/usr/bin/python3', ['/usr/bin/patroni', settings], wrap);
    const ready = async () => (await isLeader(node)) || (await statusOf(nodePorts[node].rest, '/replica')) === 200;
    const stop = () => child.stop([{ signal: 'SIGTERM', waitMs: STOP_MS }]);
    try {
      await waitForChild(child, NODE_READY_MS, ready);
    } catch (error) {
      await stop();
      throw error;
    }
    // Patroni starts PostgreSQL as a daemon, which is not its child any more.
    return { pid: child.pid, alsoPids: () => postmasterOf(dataFolder), stop };
  }
  const started = new Set<NodeName>();

  return {
    start: startNode,
    addresses,
    close,
    async leader() {
      for (const node of NODES) if (await isLeader(node)) return node;
      return undefined;
    },
    async hasSuccessor() {
      const answers = await Promise.all(NODES.map((node) => statusOf(nodePorts[node].rest, '/synchronous')));
      return answers.includes(200);
    },
    async readsSentTo(node) {
      const lines = (await textOf(ports.stats, '/stats;csv')).split('\n').map((line) => line.split(','));
      const column = lines[0]?.indexOf('stot') ?? -1;
      return Number(lines.find(([proxy, server]) => proxy === 'reads' && server === node)?.[column] ?? 0);
    },
  };
}

async function nodePortsOf(port: () => Promise<number>): Promise<NodePorts> {
  return { postgres: await port(), rest: await port() };
}

function etcdArguments(folder: string, url: string, peer: number): string[] {
  const peerUrl = `http://127.0.0.1:${peer}`;
  return [
    `--data-dir=${folder}`,
    '--name=agreement',
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=agreement=${peerUrl}`,
  ];
}

async function putKey(etcd: string, key: string, value: string): Promise<void> {
  const body = JSON.stringify({ key: base64(key), value: base64(value) });
  const answer = await fetch(`${etcd}/v3/kv/put`, { method: 'POST', body });
  if (!answer.ok) throw new Error(`etcd does not take ${key}: ${answer.status} ${await answer.text()}`);
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

function postmasterOf(dataFolder: string): number[] {
  try {
    const pid = Number(readFileSync(path.join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')[0]);
    return pid > 0 ? [pid] : [];
  } catch {
    return [];
  }
}

/** 0 when nothing answers. */
async function statusOf(port: number, route: string): Promise<number> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${route}`, { signal: AbortSignal.timeout(POLL_MS * 10) });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}

async function textOf(port: number, route: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}${route}`)).text();
}
