/** Every route of the OpenAPI document and every socket message has its place in a scenario, or the run fails. */
const SOCKET_MESSAGES = ['socket hello', 'socket answer'];

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** `GET /api/employees`, …: what the product has and `covers` has not. */
export async function uncoveredRoutes(apiUrl: string, covers: Iterable<string>): Promise<string[]> {
  const document = (await (await fetch(new URL('/docs/openapi.json', apiUrl))).json()) as OpenApi;
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  if (routes.length === 0)
    throw new Error('The OpenAPI document names no routes: the coverage check would prove nothing.');
  const covered = new Set(covers);
  return [...routes, ...SOCKET_MESSAGES].filter((route) => !covered.has(route));
}
