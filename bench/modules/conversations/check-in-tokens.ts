import { Client } from 'pg';
import { createCheckInToken } from '../../../src/modules/conversations/links.ts';

/**
 * Links of reach-outs that nobody has opened yet and that have not expired, made from the secret key as the mailer
 * makes them; at most `count`, the same ones every time.
 */
export async function checkInTokens(
  databaseUrl: string,
  secretKey: string,
  { count, campaignId }: { count: number; campaignId?: number },
): Promise<string[]> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'bench-check-in-tokens' });
  await client.connect();
  try {
    const { rows } = await client.query<{ org_id: string; id: string }>(
      `select r.org_id, r.id from reach_outs r
       join campaigns c on c.org_id = r.org_id and c.id = r.campaign_id
       left join conversations o on o.org_id = r.org_id and o.reach_out_id = r.id
       where o.id is null and c.link_expires_at > now() + interval '1 hour' and ($2::bigint is null or c.id = $2)
       order by r.id limit $1`,
      [count, campaignId ?? null],
    );
    return rows.map(({ org_id, id }) => createCheckInToken(secretKey, { orgId: Number(org_id), id: Number(id) }));
  } finally {
    await client.end();
  }
}
