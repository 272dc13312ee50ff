import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiClient } from '../api-client.ts';
import type { TestDatabase } from '../database.ts';
import { testFolder } from '../modules.ts';
import type { PathOperation } from '../openapi.ts';
import { addOrganisation } from '../organisation.ts';
import type { RunningApi } from '../running-api.ts';

/**
 * A module's part in own-tenant.test.ts, in `test/modules/<module>/tenant.ts` as `export const tenant: Tenant`. A module
 * needs one as soon as an address names one of its things by id.
 */
export interface Tenant {
  /**
   * Gives the organisation at least one thing of each kind, through the API or straight in the database. Returns an id by
   * collection: the word before `{id}` in the routes. Runs after the modules above it, with what they returned.
   */
  arrange(organisation: Organisation): Promise<Ids>;
  /**
   * For routes that name a thing and take a body or headers, by method and path as in the OpenAPI document: a request that
   * would be accepted, so that it is the id that is refused.
   */
  readonly requests?: Readonly<Record<string, Request>>;
  /**
   * For requests whose example is not accepted as things are: brings the organisation into the state in which the request
   * is that it returns. Run one after another, in the order of the document.
   */
  readonly states?: Readonly<Record<string, (organisation: Organisation) => Promise<Request>>>;
  /** Operations that write nothing to the audit log, by method and path as in the OpenAPI document, with the reason. */
  readonly unaudited?: Readonly<Record<string, string>>;
  /** Operations that change something without If-Match, likewise. */
  readonly unversioned?: Readonly<Record<string, string>>;
  /** Lists that are filtered by a thing of the organisation with these ids: all must be empty for anybody else. */
  readonly filters?: (ids: Ids) => string[];
  /** The table of a list, where it is not the last word of the list's path. */
  readonly tables?: Readonly<Record<string, string>>;
  /** Addresses that show the organisation's texts, besides lists and exports. */
  readonly shows?: readonly string[];
}

export interface Organisation {
  readonly orgId: number;
  /** The owner's. */
  readonly client: ApiClient;
  readonly database: TestDatabase;
  /** Part of every text that is made for the organisation (name, address, title), and of no other organisation's. */
  readonly mark: string;
  readonly ids: Ids;
}

export type Ids = Readonly<Record<string, number>>;

export interface Request {
  /** JSON unless it is text. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** An organisation with its things, and its owner as client. */
export interface Party {
  readonly orgId: number;
  readonly client: ApiClient;
  readonly mark: string;
  readonly ids: Ids;
}

/** Of those of the modules that have one. */
export async function loadTenants(modules: readonly string[]): Promise<ReadonlyMap<string, Tenant>> {
  const found = new Map<string, Tenant>();
  for (const module of modules) {
    const tenant = await loadTenant(module);
    if (tenant !== undefined) found.set(module, tenant);
  }
  return found;
}

export async function addParty(api: RunningApi, tenants: ReadonlyMap<string, Tenant>, mark: string): Promise<Party> {
  const { database } = api;
  const orgId = await addOrganisation(database.db, `Organisation ${mark}`);
  const client = await api.signedIn(orgId, 'owner');
  let ids: Ids = {};
  for (const tenant of tenants.values())
    ids = { ...ids, ...(await tenant.arrange({ orgId, client, database, mark, ids })) };
  return { orgId, client, mark, ids };
}

/** The id of the party's thing that the route names. */
export function idFor(moduleOf: ReadonlyMap<string, string>, { method, path }: PathOperation, party: Party): number {
  const collection = /^\/api\/v1\/([\w-]+)\/\{id\}/.exec(path)?.[1] ?? '';
  const id = party.ids[collection];
  if (id !== undefined) return id;
  const module = moduleOf.get(`${method} ${path}`);
  throw new Error(
    `${method} ${path}: arrange() in test/modules/${module}/tenant.ts must return the id of one of the ${collection}`,
  );
}

/** A request of that kind that is accepted: the module's, or the example of the document. */
export async function acceptedRequest(
  { states, requests }: Pick<Tenant, 'states' | 'requests'> = {},
  { method, path, operation }: PathOperation,
  organisation: Organisation,
): Promise<Request> {
  const name = `${method} ${path}`;
  const request = (await states?.[name]?.(organisation)) ?? requests?.[name];
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (request !== undefined || type === undefined) return request ?? {};
  return { body: media?.example, headers: { 'content-type': type } };
}

/** Undefined when the module has none. */
export async function loadTenant(module: string): Promise<Tenant | undefined> {
  const file = join(testFolder(module), 'tenant.ts');
  if (!existsSync(file)) return undefined;
  return ((await import(/* @vite-ignore */ file)) as { tenant: Tenant }).tenant;
}
