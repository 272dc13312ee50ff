import { domainToUnicode } from 'node:url';
import type { Db } from '../../db/schema.ts';
import { toLowerCase } from '../../mail-address.ts';
import { QUOTING_IMPORTS_ROWS } from './limits.ts';

const ERASED = 'was about somebody who has been erased since';

/** Takes out of the reports of imports what they quote of somebody with this address: a rejected row, or one taken for the header. */
export async function forgetQuotes(db: Db, orgId: number, address: string): Promise<void> {
  const spellings = [address, asTyped(address)];
  const quotes = (text: string | null | undefined) =>
    spellings.some((spelling) => toLowerCase((text ?? '').normalize('NFC')).includes(spelling));
  for (let after = 0, isLastPage = false; !isLastPage; ) {
    const page = await db
      .selectFrom('imports')
      .where('org_id', '=', orgId)
      .where('id', '>', after)
      .select(['id', 'rejections', 'error', 'reading'])
      .orderBy('id')
      .limit(QUOTING_IMPORTS_ROWS)
      .forUpdate()
      .execute();
    for (const { id, rejections, error, reading } of page) {
      const titles = Object.values(reading?.columns ?? {}).flatMap((found) => found ?? []);
      const isTitle = titles.some(({ title }) => quotes(title));
      if (!isTitle && !quotes(error) && !rejections.some(({ reason }) => quotes(reason))) continue;
      const kept = rejections.map((rejection) =>
        quotes(rejection.reason) ? { ...rejection, reason: ERASED } : rejection,
      );
      await db
        .updateTable('imports')
        .set({
          rejections: JSON.stringify(kept),
          ...(quotes(error) ? { error: ERASED } : {}),
          ...(isTitle ? { reading: null } : {}),
        })
        .where('org_id', '=', orgId)
        .where('id', '=', id)
        .execute();
    }
    after = page.at(-1)?.id ?? after;
    isLastPage = page.length < QUOTING_IMPORTS_ROWS;
  }
}

/** Addresses are kept with an ASCII domain; people write its letters. */
function asTyped(address: string): string {
  const [local, domain = ''] = address.split('@');
  return `${local}@${domainToUnicode(domain)}`;
}
