export interface Operation {
  readonly summary?: string;
  readonly tags?: string[];
  readonly 'x-role'?: string;
  readonly responses?: Record<string, { content?: Record<string, { schema?: object }>; description?: string }>;
}

export interface OpenApi {
  readonly openapi: string;
  readonly servers: { url: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
}

export interface PathOperation {
  /** In capitals. */
  readonly method: string;
  /** Parameters in braces: `/api/notes/{id}`. */
  readonly path: string;
  readonly operation: Operation;
}

export async function openApiOf(url: string): Promise<OpenApi> {
  return (await fetch(`${url}/docs/openapi.json`)).json() as Promise<OpenApi>;
}

/** All routes below /api. */
export async function operationsOf(url: string): Promise<PathOperation[]> {
  const { paths } = await openApiOf(url);
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}
