import type { IncomingMessage } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Caller, DatabaseSession } from '../db/read-write-split.ts';
import type { Role } from '../db/schema.ts';
import type { ErrorCode } from '../errors.ts';
import type { Span } from '../trace.ts';

/** The HTTP server as routes see it: fastify with TypeBox schemas and our request properties. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyInstance {
    /** Says whose a request is: it then has a place among those that strangers cannot take. */
    recognise(request: IncomingMessage, orgId: number): void;
  }
  interface FastifyContextConfig {
    /** Does not require a signed-in user. All other routes under /api do. */
    public?: boolean;
    /**
     * Of a sign-in: a kept answer is given only to whoever has been judged again, by the handler and its limits. Otherwise
     * it would let passwords be tried past them.
     */
    judgesFirst?: true;
    /** Of a POST that changes nothing the second time anyway: an Idempotency-Key is not looked at. */
    repeatable?: false;
    /** The minimum role; any role if undefined. */
    role?: Exclude<Role, 'viewer'>;
    /** Only for those who run the platform (operators.ts), whatever their role: for what is about all organisations. */
    operator?: true;
    /**
     * What an API key needs; by default `read` for GET and `write` for everything else. `none`: only people may. What is
     * for operators has `none`.
     */
    scope?: 'read' | 'write' | 'none';
    /** What it can be answered with that does not follow from its method, path and schema (src/http/api-document.ts). */
    problems?: readonly ErrorCode[];
    /** What it refuses with `forbidden` besides the role and the scope: a noun, for the document. */
    forbids?: string;
  }
  interface FastifyRequest {
    /** Of its trace; null when nothing is measured. */
    span: Span | null;
    /** The network that the request came from, as limits count it: `192.0.2.1`, `2001:db8:1:2::/64`. */
    network: string;
    /** The signed-in user; only on routes that are not public. */
    user: SignedIn;
    /** Access to the database, which sees this caller's last write; for public routes. */
    caller: Caller;
    /** The same, within the signed-in user's organisation; only on routes that are not public. */
    db: DatabaseSession;
  }
}

/** A signed-in user. */
export interface SignedIn {
  readonly orgId: number;
  readonly userId: number;
  readonly role: Role;
  /** Set when the request came with an API key of the user's. */
  readonly apiKey?: { readonly prefix: string; readonly scope: 'read' | 'write' };
  /** Set when it came with a session. */
  readonly sessionId?: number;
  /** Likewise: where its user gets mail. */
  readonly address?: string;
}
