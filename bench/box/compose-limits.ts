/** The limits of the product's parts, from docker-compose.yml: the same nano in containers and in the bench. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { parseSize } from './size.ts';

export interface PartLimits {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly cpuShares?: number;
}

export interface ComposeLimits {
  /** The nano itself, which one part or all of them live in. */
  readonly nano: PartLimits;
  /** By the name of the service. */
  readonly parts: ReadonlyMap<string, PartLimits>;
}

type Limited = { mem_limit?: unknown; memswap_limit?: unknown; cpus?: unknown; cpu_shares?: unknown };

const FILE = path.resolve(import.meta.dirname, '..', '..', 'docker-compose.yml');

/** @throws when a service has no limit, or may swap past it */
export function readComposeLimits(file = FILE): ComposeLimits {
  const document = parse(readFileSync(file, 'utf8'), { merge: true }) as {
    'x-nano': Limited;
    services: Record<string, Limited>;
  };
  const parts = Object.entries(document.services).map(([name, service]) => [name, limitsOf(name, service)] as const);
  return { nano: limitsOf('x-nano', document['x-nano']), parts: new Map(parts) };
}

function limitsOf(name: string, { mem_limit, memswap_limit, cpus, cpu_shares }: Limited): PartLimits {
  const memoryBytes = parseSize(String(mem_limit));
  if (memoryBytes === undefined) throw new Error(`${name} in docker-compose.yml has no mem_limit like 512m`);
  if (parseSize(String(memswap_limit)) !== memoryBytes) {
    throw new Error(`${name} in docker-compose.yml may swap: memswap_limit must be what mem_limit is`);
  }
  if (!(Number(cpus) > 0)) throw new Error(`${name} in docker-compose.yml has no cpus`);
  return { memoryBytes, cpus: Number(cpus), ...(cpu_shares === undefined ? {} : { cpuShares: Number(cpu_shares) }) };
}
