/** What each layer of a program costs, from a CPU profile: the time in its own functions, without those that they call. */

/** As the inspector gives it. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** Waiting for something to do. */
const IDLE = '(idle)';

/** By layer, in microseconds. */
export function layersOf(profile: CpuProfile): Map<string, number> {
  const layers = new Map<string, number>();
  const layerById = new Map(profile.nodes.map(({ id, callFrame }) => [id, layerOf(callFrame)]));
  for (const [id, us] of selfTimes(profile)) {
    const layer = layerById.get(id) as string;
    if (layer !== IDLE) layers.set(layer, (layers.get(layer) ?? 0) + us);
  }
  return layers;
}

/** By the node's id, in microseconds. */
export function selfTimes({ samples, timeDeltas }: CpuProfile): Map<number, number> {
  const times = new Map<number, number>();
  samples.forEach((id, at) => void times.set(id, (times.get(id) ?? 0) + (timeDeltas[at + 1] ?? 0)));
  return times;
}

function layerOf({ functionName, url }: ProfileNode['callFrame']): string {
  if (functionName === '(program)') return 'the kernel and V8 itself (system calls, JSON, compiling)';
  if (functionName.startsWith('(')) return functionName === '(garbage collector)' ? 'collecting garbage' : functionName;
  if (url.startsWith('node:')) return 'Node (HTTP, streams, timers, promises)';
  const [, packageName] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
  if (packageName !== undefined) return LAYER_OF_PACKAGE[packageName] ?? `other packages (${packageName})`;
  const [, folder] = /\/(src\/(?:modules|[^/]+))\//.exec(url) ?? [];
  if (folder !== undefined) return `ours: ${folder}`;
  if (url !== '') return 'the program itself';
  return LAYER_OF_NATIVE[functionName] ?? 'made from schemas (validation, serialisation), and the rest of Node’s C++';
}

const WRITING = 'writing to sockets (the kernel, and waiting for a processor that it gave to the other end)';
const TEXT = 'text from bytes';
const LAYER_OF_NATIVE: Readonly<Record<string, string>> = {
  writev: WRITING,
  writeBuffer: WRITING,
  writeUtf8String: WRITING,
  writeLatin1String: WRITING,
  utf8Slice: TEXT,
  latin1Slice: TEXT,
};

const FASTIFY = 'fastify (routing, hooks, reply)';
const PG = 'pg (protocol, pool, types)';
const LAYER_OF_PACKAGE: Readonly<Record<string, string>> = {
  fastify: FASTIFY,
  'find-my-way': FASTIFY,
  'fast-querystring': FASTIFY,
  'fast-json-stringify': FASTIFY,
  'fast-decode-uri-component': FASTIFY,
  avvio: FASTIFY,
  pino: FASTIFY,
  cookie: FASTIFY,
  '@fastify/cookie': FASTIFY,
  pg: PG,
  'pg-protocol': PG,
  'pg-pool': PG,
  'pg-types': PG,
  'postgres-date': PG,
  kysely: 'kysely (building and compiling the statement)',
  'lru-cache': 'lru-cache',
};
