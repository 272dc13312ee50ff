/** Every route of the OpenAPI document and every message that a module declares is in a scenario, or the run fails. */
import { call } from './call.ts';
import type { ModuleBench } from './module-bench.ts';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** `GET /api/v1/me`, …: what the product has and `covers` has not. */
export async function uncoveredRoutes(
  apiUrl: string,
  benches: readonly ModuleBench[],
  covers: Iterable<string>,
): Promise<string[]> {
  const { paths } = (await call<OpenApi>(apiUrl, '/docs/openapi.json')).json;
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  if (routes.length === 0)
    throw new Error('The OpenAPI document names no routes: the coverage check would prove nothing.');
  const messages = benches.flatMap(({ socketMessages = [] }) => socketMessages);
  const covered = new Set(covers);
  return [...routes, ...messages].filter((route) => !covered.has(route));
}
