import { type Compilable, type CompiledQuery, isCompilable, Kysely, type KyselyConfig } from 'kysely';
import type { Schema } from './schema.ts';

type Ask = (text: string, values: unknown[]) => Promise<{ rows: unknown[] }>;

/**
 * What was built once (prepareQuery) is asked past kysely's plugins and connections, which would take longer than the
 * database does. `ask` must do all that they do.
 */
export class ReadDatabase extends Kysely<Schema> {
  readonly #ask: Ask;

  constructor(config: KyselyConfig, ask: Ask) {
    super(config);
    this.#ask = ask;
  }

  override executeQuery<Row>(query: CompiledQuery<Row> | Compilable<Row>): Promise<{ rows: Row[] }> {
    const { sql, parameters } = isCompilable(query) ? query.compile() : query;
    return this.#ask(sql, [...parameters]) as Promise<{ rows: Row[] }>;
  }
}
