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

/** The HTTP server as routes see it: fastify with TypeBox schemas, and what every request carries. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers people who are not signed in. Everything else below /api refuses them. */
    public?: boolean;
    /** The least that a signed-in person must be; without it, any role. */
    role?: Exclude<Role, 'viewer'>;
  }
  interface FastifyRequest {
    /** Who asks; only on routes that are not public. */
    user: SignedIn;
    /** The way to the database, with what this caller wrote last; for routes that are public. */
    caller: Caller;
    /** The same within the signed-in user's organisation; only on routes that are not public. */
    db: DatabaseSession;
  }
}

/** Who is signed in. */
export interface SignedIn {
  readonly orgId: number;
  readonly userId: number;
  readonly role: Role;
}
