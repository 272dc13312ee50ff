import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { QUOTING_IMPORTS_ROWS } from './limits.ts';

const ERASED = 'removed from this report when the organisation erased a person: it may have quoted them';

/**
 * Takes out of the organisation's reports of imports whatever may quote a file: the reasons against rows, the error, and
 * the titles, for which a row is taken where there are none. All of them, whoever is erased: a row is rejected because
 * something in it is misspelt, so no search for a name or an address finds all that is about somebody. Counts and the
 * numbers of lines stay. A file that is still being read can name them again, as the next one can.
 */
export async function forgetQuotes(db: Db, orgId: number): Promise<void> {
  for (let after: number | null = 0; after !== null; ) {
    const { rows } = await sql<{ last: number | null }>`
      with page as (
        select id from imports where org_id = ${orgId} and id > ${after} order by id limit ${QUOTING_IMPORTS_ROWS}
      ), erased as (
        update imports set
          rejections = (
            select coalesce(jsonb_agg(jsonb_build_object('line', entry -> 'line', 'reason', ${ERASED}::text) order by place), '[]')
            from jsonb_array_elements(rejections) with ordinality as rejection (entry, place)),
          error = case when error is null then null else ${ERASED} end,
          reading = null
        where org_id = ${orgId} and id = any(array(select id from page)) and (
          reading is not null or error <> ${ERASED} or
          jsonb_path_exists(rejections, '$[*] ? (@.reason != $erased)', jsonb_build_object('erased', ${ERASED}::text)))
      )
      select max(id) as last from page`.execute(db);
    after = rows[0]?.last ?? null;
  }
}
