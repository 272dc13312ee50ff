/** HAProxy's settings: whoever says over Patroni's port that it leads gets the writes, and replicas the reads. */
import type { NodeName, NodePorts } from './patroni.ts';

export interface ProxyPorts {
  readonly writes: number;
  readonly reads: number;
  readonly stats: number;
}

export function proxySettings(ports: ProxyPorts, nodes: Readonly<Record<NodeName, NodePorts>>): string {
  const servers = Object.entries(nodes)
    .map(([name, { postgres, rest }]) => `  server ${name} 127.0.0.1:${postgres} check port ${rest}`)
    .join('\n');
  return `global
  maxconn 400
defaults
  mode tcp
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  timeout check 2s
  # Connections to a server that lost its role end at once: their clients must ask again where to go.
  default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
listen writes
  bind 127.0.0.1:${ports.writes}
  option httpchk OPTIONS /primary
  http-check expect status 200
${servers}
listen reads
  bind 127.0.0.1:${ports.reads}
  option httpchk OPTIONS /replica
  http-check expect status 200
${servers}
frontend stats
  mode http
  bind 127.0.0.1:${ports.stats}
  stats enable
  stats uri /stats
`;
}
