/**
 * The internals of pg that we use and its types do not cover, in one place: package.json pins the version that this was
 * written against, and the tests of src/db fail when an update changes them.
 */
import { type Client, DatabaseError, Query, type QueryResult } from 'pg';
// @ts-expect-error: not in its types
import { prepareValue } from 'pg/lib/utils';

/** A client's connection: the messages of PostgreSQL's protocol. */
export interface ProtocolConnection {
  readonly stream: { readonly writable: boolean; write(bytes: Buffer): unknown };
  /** By name: those that the server has been asked to parse, and has not answered about. */
  readonly submittedNamedStatements: Readonly<Record<string, string>>;
  bind(message: { statement: string; values: (string | null)[] }): void;
  execute(message: object): void;
}

/** What pg's Query does with the messages that come back. */
export interface ProtocolQuery {
  submit(connection: ProtocolConnection): Error | null;
  handleDataRow(message: { fields: (string | null)[] }): void;
  handleCommandComplete(message: unknown, connection: ProtocolConnection): void;
  handleReadyForQuery(connection: ProtocolConnection): void;
  handleError(error: Error, connection: ProtocolConnection): void;
}

export interface Statement {
  readonly name: string | undefined;
  readonly text: string;
  readonly values: unknown[];
}

export const PgQuery = Query as unknown as new (
  text: string,
  values: unknown[],
  answer: (error: Error | null, result: QueryResult) => void,
) => ProtocolQuery & { readonly text: string; name: string | undefined; queryMode: 'extended' };

/**
 * A parameter as it is sent. Throws for one that cannot be sent: pg itself would find out in the middle of a statement,
 * and close the prepared one on the server, which those behind it have been sent for.
 */
export function toWireValue(value: unknown): string | Buffer | null {
  return prepareValue(value);
}

/** Ends a connection now, even one whose query is waiting for an answer that will not come. */
export function endConnection(client: Client, reason: string): void {
  client.connection.stream.destroy(new Error(`Connection terminated: ${reason}`));
}

/** Whether the client is outside any transaction, as the server last reported. */
export function isIdle(client: Client): boolean {
  return client.getTransactionStatus() === 'I';
}

/** Whether the client can be lent to somebody else: nothing is under way, and no transaction is open. */
export function isAtRest(client: Client): boolean {
  return isReady(client) && isIdle(client) && !client.connection.stream.destroyed;
}

/**
 * Calls back when the server is ready for another statement, or the connection has ended. pg hands an error of the server
 * on as soon as it has read it. That no transaction is open any more comes in a later message, and PostgreSQL sends the
 * two in packets of their own.
 */
export function whenReady(client: Client, error: Error | null, then: () => void): void {
  const { connection } = client;
  const isSettled = !isOfServer(error) || isReady(client) || connection.stream.destroyed;
  if (!isSettled) connection.on('readyForQuery', settle).on('end', settle);
  else then();
  function settle(): void {
    connection.off('readyForQuery', settle).off('end', settle);
    then();
  }
}

function isOfServer(error: Error | null): boolean {
  return error instanceof DatabaseError || error?.cause instanceof DatabaseError;
}

function isReady(client: Client): boolean {
  return (client as unknown as { readonly readyForQuery?: boolean }).readyForQuery === true;
}

/** The backend's process id, as sent when the connection opened. */
export function serverPid(client: unknown): number {
  return (client as { processID: number }).processID;
}
