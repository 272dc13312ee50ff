import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { moduleFolder } from './modules.ts';

export interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly security?: object[];
  readonly requestBody?: { readonly content: Record<string, { schema?: object; example?: unknown }> };
  readonly tags?: string[];
  readonly 'x-role'?: string;
  readonly 'x-operator'?: true;
  readonly 'x-scope'?: string;
  readonly 'x-forbids'?: string;
  readonly parameters?: { readonly name: string; readonly in: string }[];
  readonly responses?: Record<
    string,
    {
      content?: Record<string, { schema?: object; example?: unknown }>;
      headers?: Record<string, object>;
      description?: string;
    }
  >;
}

export interface OpenApi {
  readonly openapi: string;
  readonly servers: { url: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components?: object;
}

export interface PathOperation {
  /** In capitals. */
  readonly method: string;
  /** Parameters in braces: `/api/v1/notes/{id}`. */
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

/** The module that declares a route, by method and path as in the document: read from the source of the modules. */
export function modulesByRoute(modules: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const module of modules) {
    for (const file of globSync('*routes.ts', { cwd: moduleFolder(module) }))
      for (const [, method = '', path = ''] of readFileSync(join(moduleFolder(module), file), 'utf8').matchAll(ROUTE))
        found.set(`${method.toUpperCase()} /api/v1${path.replace(/:(\w+)/g, '{$1}')}`, module);
  }
  return found;
}

const ROUTE = /\.(get|post|put|patch|delete)\(\s*'(\/[^']+)'/g;
