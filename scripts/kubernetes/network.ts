import type { IGateway, IHTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { TARGET_PORTS } from '../../src/limits.ts';
import { LISTENING_PROCESSES, PROCESSES } from '../../src/processes.ts';
import { labels } from './workers.ts';

/** Replaced in an overlay of your own; API_URL and CHAT_URL say the same. */
export const HOSTS = { api: 'app.tardigrade.test', chat: 'chat.tardigrade.test' } as const;

export function networkObjects(): object[] {
  return [gateway(), route('api'), route('chat'), denyAll(), toWorkers(), fromWorkers(), toValkey(), toPostgres()];
}

function gateway(): IGateway {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: {
      name: 'tardigrade',
      labels: labels('tardigrade'),
      annotations: { 'cert-manager.io/cluster-issuer': 'letsencrypt' },
    },
    spec: {
      gatewayClassName: 'default',
      listeners: Object.entries(HOSTS).map(([name, hostname]) => ({
        name,
        hostname,
        protocol: 'HTTPS',
        port: 443,
        tls: { mode: 'Terminate', certificateRefs: [{ name: `${name}-certificate` }] },
      })),
    },
  };
}

/** WebSockets need nothing more: a Gateway passes an upgrade on. */
function route(name: keyof typeof HOSTS): IHTTPRoute {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, labels: labels(name) },
    spec: {
      parentRefs: [{ name: 'tardigrade', sectionName: name }],
      hostnames: [HOSTS[name]],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [{ name, port: PROCESSES[name].port }],
        },
      ],
    },
  };
}

const WORKERS = {
  matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'In', values: [...LISTENING_PROCESSES] }],
};
const WORKERS_AND_MIGRATE = {
  matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'In', values: [...LISTENING_PROCESSES, 'migrate'] }],
};
/** The operator labels its pods so; poolers are told to have the label of the workers' side. */
const POSTGRES = { matchExpressions: [{ key: 'cnpg.io/cluster', operator: 'In', values: ['postgres'] }] };
const POOLER = { matchExpressions: [{ key: 'cnpg.io/poolerName', operator: 'Exists' }] };
const VALKEY = { matchLabels: { 'app.kubernetes.io/name': 'valkey' } };
const VALKEY_PRIMARY = { matchLabels: { 'app.kubernetes.io/name': 'valkey-primary' } };

/** Whatever is not allowed below, for everything of the product. */
function denyAll(): INetworkPolicy {
  return policy('deny-all', { podSelector: {}, policyTypes: ['Ingress'] });
}

/** From the gateway and from Prometheus: both are in namespaces that carry this label. */
function toWorkers(): INetworkPolicy {
  return policy('to-workers', {
    podSelector: WORKERS,
    policyTypes: ['Ingress'],
    ingress: [
      {
        from: [{ namespaceSelector: { matchLabels: { 'tardigrade.test/may-reach': 'workers' } } }],
        ports: LISTENING_PROCESSES.map((name) => ({ port: PROCESSES[name].port })),
      },
    ],
  });
}

function fromWorkers(): INetworkPolicy {
  return policy('from-workers', {
    podSelector: WORKERS_AND_MIGRATE,
    policyTypes: ['Egress'],
    egress: [
      { to: [{ podSelector: POSTGRES }, { podSelector: POOLER }], ports: [{ port: 5432 }] },
      { to: [{ podSelector: VALKEY_PRIMARY }], ports: [{ port: 6379 }] },
      // Names.
      {
        to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP' },
        ],
      },
      // The mail server, the certificates that the mailer watches, and webhooks; no address of the cluster itself.
      {
        to: [
          {
            ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'] },
          },
        ],
        ports: [{ port: 25 }, { port: 465 }, { port: 587 }, ...TARGET_PORTS.map((port) => ({ port }))],
      },
    ],
  });
}

function toValkey(): INetworkPolicy {
  return policy('to-valkey', {
    podSelector: {
      matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'In', values: ['valkey', 'valkey-primary'] }],
    },
    policyTypes: ['Ingress'],
    ingress: [
      {
        from: [{ podSelector: WORKERS }, { podSelector: VALKEY }, { podSelector: VALKEY_PRIMARY }],
        ports: [{ port: 6379 }, { port: 26379 }],
      },
    ],
  });
}

/** And the operator itself, which asks each instance for its state. */
function toPostgres(): INetworkPolicy {
  return policy('to-postgres', {
    podSelector: { matchExpressions: [{ key: 'cnpg.io/cluster', operator: 'Exists' }] },
    policyTypes: ['Ingress'],
    ingress: [
      {
        from: [{ podSelector: WORKERS_AND_MIGRATE }, { podSelector: POSTGRES }, { podSelector: POOLER }],
        ports: [{ port: 5432 }],
      },
      // A primary that reaches neither the Kubernetes API nor another instance takes itself for isolated, and stops.
      { from: [{ podSelector: POSTGRES }], ports: [{ port: 8000 }] },
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'cnpg-system' } } }],
        ports: [{ port: 8000 }, { port: 5432 }],
      },
      {
        from: [{ namespaceSelector: { matchLabels: { 'tardigrade.test/may-reach': 'workers' } } }],
        ports: [{ port: 9187 }, { port: 9127 }],
      },
    ],
  });
}

function policy(name: string, spec: INetworkPolicy['spec']): INetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, labels: labels('tardigrade') },
    spec,
  };
}
