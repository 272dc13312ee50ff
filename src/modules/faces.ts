/**
 * The faces of a module: the same few for every noun, each in its own file and each loaded by one kind of process.
 * The mailer never loads a route and the api never loads a job, so a process loads only the code that it runs.
 */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RawBuilder } from 'kysely';
import type { TSchema } from 'typebox';
import type { Config } from '../config.ts';
import type { Cursors } from '../db/keyset-pagination.ts';
import type { Database, ReadableDatabase } from '../db/read-write-split.ts';
import type { Db } from '../db/schema.ts';
import type { ApiKeys } from '../http/api-keys.ts';
import type { App } from '../http/app.ts';
import type { Sessions } from '../http/authentication.ts';
import type { Exports } from '../http/exports.ts';
import type { Pages } from '../http/pages.ts';
import type { PasswordHasher } from '../http/password-hashing.ts';
import type { CreateRateLimit } from '../http/rate-limit.ts';
import type { Log } from '../log.ts';
import type { MailEvent } from '../mail/mail-event.ts';
import type { Mailing } from '../mail/mailing.ts';
import type { LinkTarget, PersonalLink } from '../mail/personal-link.ts';
import type { AlertRule } from '../process/alert-before-full.ts';
import type { Metrics, ProcessReport } from '../process/metrics.ts';
import type { ConsumerOf } from '../queue/queues.ts';
import type { Retention } from '../queue/retention.ts';
import type { Loop } from '../queue/schedule.ts';
import type { TopicHandlers } from '../queue/transactional-outbox.ts';
import type { SocketHandler } from '../socket/connection.ts';
import type { Ticketing } from '../socket/ticket-exchange.ts';
import type { AuditWords } from './audit/audit.ts';
import type { EventTexts } from './webhooks/webhooks.ts';

/** One entry of the list in src/modules.ts. Every face is optional. */
export interface Module {
  /** The name of its folder in src/modules, test/modules, bench/modules and web/modules. */
  readonly name: string;
  /** The queues that its jobs consume. */
  readonly queues?: readonly string[];
  /** api: what its verbs write to the audit log, in words. */
  readonly actions?: () => Promise<ActionsFace>;
  /** api: HTTP. */
  readonly routes?: () => Promise<RoutesFace>;
  /** api: the events that a webhook can listen to. */
  readonly events?: () => Promise<EventsFace>;
  /** api: what it adds to GET /api/v1/summary. */
  readonly figures?: () => Promise<FiguresFace>;
  /** mailer: background work. */
  readonly jobs?: () => Promise<JobsFace>;
  /** mailer: what somebody should hear of, and the Prometheus rules that are made of it. */
  readonly alerts?: () => Promise<AlertsFace>;
  /** mailer: how long the rows of its tables are kept. Every module with tables has it. */
  readonly retention?: () => Promise<RetentionFace>;
  /** chat: WebSocket connections. */
  readonly socket?: () => Promise<SocketFace>;
  /** api and mailer: pages that a mail can lead a person without an account to. */
  readonly links?: () => Promise<LinksFace>;
  /** npm run verify: what always holds among its rows. */
  readonly consistency?: () => Promise<ConsistencyFace>;
  /** api and mailer: what mail servers report about its mails. */
  readonly feedback?: () => Promise<FeedbackFace>;
  /** api: what its tables hold about one person, for export and erasure. */
  readonly person?: () => Promise<PersonFace>;
  /** npm run staging: what of its tables a copy for staging has. Every module with tables has it. */
  readonly staging?: () => Promise<StagingFace>;
  /** npm run seed: its rows of the sample data. */
  readonly seed?: () => Promise<SeedFace>;
}

export interface RoutesFace {
  /** Routes under /api: they require a signed-in user unless marked public. */
  routes(api: App, context: ApiContext): void;
  /** Pages outside /api, for people without an account. */
  publicRoutes?(app: App, context: ApiContext): void;
}

export interface ApiContext {
  readonly config: Config;
  readonly log: Log;
  /** Reads only: a route writes through `request.db`, which an Idempotency-Key commits together with the answer. */
  readonly database: ReadableDatabase;
  readonly redis: Redis;
  readonly sessions: Sessions;
  readonly apiKeys: ApiKeys;
  readonly hasher: PasswordHasher;
  /** Of all processes together. */
  readonly createRateLimit: CreateRateLimit;
  /** Of all modules together: what streams a file runs in it. */
  readonly exports: Exports;
  readonly cursors: Cursors;
  readonly pages: Pages;
  readonly figures: Figures;
  /** The public events of all modules together. */
  readonly events: AnyEventTexts;
  /** Of all modules together. */
  readonly person: PersonalData;
  readonly links: readonly PersonalLink[];
  readonly feedbacks: readonly MailFeedback[];
  /** Of all modules together: what each action in the audit log says. */
  readonly actions: AuditWords;
  /** The names of all queues. */
  readonly queues: readonly string[];
  /** This process's own report, for when Redis, which has everyone's, is unavailable. */
  readonly report: () => ProcessReport;
}

export interface ActionsFace {
  readonly actions: AuditWords;
}

export interface EventsFace {
  readonly events: EventTexts;
}

/** Whatever the modules are. */
export type AnyEventTexts = Readonly<Record<string, { readonly means: string; readonly example: object }>>;

export interface ConsistencyFace {
  readonly consistency: Rules;
}

export type Rules = Readonly<Record<string, Rule>>;

export interface Rule {
  /** In words. */
  readonly holds: string;
  /** Returns the rows for which it does not hold, as text in the column `fault`. It sees all organisations. */
  readonly faults: string;
}

export interface FiguresFace {
  readonly figures: Figures;
}

/** Key figures of one organisation, by name. All of them are read in one statement. */
export type Figures = Readonly<
  Record<string, { readonly schema: TSchema; readonly select: (orgId: number) => RawBuilder<unknown> }>
>;

export interface JobsFace {
  jobs(context: JobsContext): Jobs;
}

export interface JobsContext {
  readonly config: Config;
  readonly log: Log;
  readonly database: Database;
  readonly metrics: Metrics;
  readonly mail: Mailing;
  readonly links: readonly PersonalLink[];
  readonly redis: Redis;
  /** The names of all queues. */
  readonly queues: readonly string[];
  /** The alerts of all modules. */
  readonly rules: readonly AlertRule[];
  /** The producer's side of one of the module's own queues. */
  readonly queue: (name: string) => Queue;
}

export interface Jobs {
  /** Handlers of outbox events, by topic. */
  readonly topics?: TopicHandlers;
  /** The consumer of each queue of the module. */
  readonly consumers?: Readonly<Record<string, ConsumerOf>>;
  readonly loops?: readonly Loop[];
}

export interface AlertsFace {
  readonly alerts: readonly AlertRule[];
}

export interface RetentionFace {
  readonly retention: Retention;
}

export interface SocketFace {
  sockets(context: SocketContext): Sockets;
}

export interface SocketContext {
  readonly config: Config;
  readonly log: Log;
  readonly database: Database;
  readonly redis: Redis;
  readonly metrics: Metrics;
  /** Messages that reach the clients of all chat processes; closed with the process. */
}

export interface Sockets {
  /** Where the WebSocket is opened, for example `/chat`. */
  readonly path: string;
  readonly handler: SocketHandler;
  /** How the token of a link becomes a ticket, at `<path>/ticket`. Then only clients with a ticket get in. */
  readonly ticketing?: Ticketing;
  /** When the youngest other process was first heard of: see the fan-out's `othersSince`. */
  readonly othersSince?: () => number;
  /** The page (a file in web/) that is served for every path with the given prefix. */
  readonly pages: Readonly<Record<string, string>>;
  /** Called when no socket is open any more. */
  readonly close?: () => void;
}

export interface LinksFace {
  readonly link: PersonalLink;
}

export interface FeedbackFace {
  readonly feedback: MailFeedback;
}

export interface MailFeedback {
  /** The first part of the references of its mails (src/mail/mail-reference.ts). */
  readonly kind: string;
  /**
   * Records what became of the mail of this row. Runs in the caller's transaction. Returns the address that it went to;
   * undefined when there is no such mail, or the same was recorded before.
   */
  record(transaction: Db, target: LinkTarget, event: MailEvent): Promise<string | undefined>;
}
export interface PersonFace {
  readonly person: PersonalData;
}

/**
 * By table: what it holds about a person (an id of the module that has the persons), as an export shows it. Rows are erased
 * with the person, by foreign keys (`on delete cascade`): a table that cannot be is not a place for personal data.
 */
export type PersonalData = Readonly<Record<string, (db: Db, orgId: number, personId: number) => Promise<object[]>>>;

export interface StagingFace {
  readonly staging: StagingRules;
}

/** By table. A table or a text that is not named here is not copied: the whole copy is refused. */
export type StagingRules = Readonly<Record<string, StagingTable>>;

export type StagingTable =
  /** Its rows are not copied, for this reason. */
  | { readonly leftOut: string }
  /** The rule of each column that could say something about somebody; numbers, times and truth values stay as they are. */
  | { readonly columns: Readonly<Record<string, StagingRule>> };

export type StagingRule =
  /** One of the program's own words: a status, a role. */
  | 'kept'
  /** Not copied: the column's default, or null. */
  | 'dropped'
  /** Two made-up words, or an address that nobody has: the same text becomes the same one everywhere, and unequal ones stay so. */
  | 'name'
  | 'address'
  /** As long and with the same breaks, all in x. */
  | 'blanked'
  /** Everybody gets the same one, which the command prints. */
  | 'password'
  /** JSON, a list of objects: the texts under these names are blanked, the rest is kept. */
  | { readonly blanked: readonly string[] };

export interface SeedFace {
  /** Runs in the seed's transaction, after the modules above it in the list. Returns how many rows of each kind it wrote. */
  seed(context: SeedContext): Promise<Readonly<Record<string, number>>>;
}

export interface SeedContext {
  readonly db: Db;
  readonly organisations: readonly SeedOrganisation[];
  /** Where the 90 days of sample data end. */
  readonly now: Date;
  readonly onProgress: (text: string) => void;
  /** Waits until the replicas have nearly caught up: a module calls it between large steps. */
  readonly waitForReplicas: () => Promise<void>;
}

/** An organisation and its range of ids: ids are row numbers, so that hashes of them are the same in every run. */
export interface SeedOrganisation {
  readonly id: number;
  readonly name: string;
  readonly domain: string;
  /** The number of rows that it has in a module's main table. */
  readonly size: number;
  /** The sum of the sizes before it, plus one: the first id of such a table. */
  readonly firstId: number;
}
