import { call, createClient } from '../../api-client.ts';
import { linkTo } from '../../browser/catcher.ts';
import { OWNER, randomEmail, type Welcome } from '../../registration.ts';

export interface SmallCampaign {
  /** Of the organisation's owner. */
  readonly token: string;
  readonly campaignId: number;
  readonly to: string;
  readonly unsubscribe: string;
}

/** An organisation of its own with one employee, who has received an email. */
export async function launchSmallCampaign(urls: { api: string }): Promise<SmallCampaign> {
  const email = randomEmail();
  const post = <T>(path: string, body: object) => call<T>(urls.api, 'POST', path, { headers: {}, body });
  await post('/api/v1/registrations', { email });
  const token = (await linkTo(email, '/register/')).split('/').at(-1);
  const { body: owner } = await post<Welcome>('/api/v1/registrations/confirmations', { token, ...OWNER });
  const client = createClient(urls.api, owner.token, owner.organisation.id);
  const to = `only-${client.orgId}@small.test`;
  const { body: announced } = await client.send<{ id: number }>('POST', '/api/v1/imports', { fileName: 'one.csv' });
  const file = `name,email,team\nOnly One,${to},Team\n`;
  await client.send('PUT', `/api/v1/imports/${announced.id}/file`, file, { 'content-type': 'text/csv' });
  const content = { name: 'Small', subject: 'Hello', body: 'Hello' };
  const { body: campaign } = await client.send<{ id: number }>('POST', '/api/v1/campaigns', content);
  await client.send('POST', `/api/v1/campaigns/${campaign.id}/launch`);
  return { token: client.token, campaignId: campaign.id, to, unsubscribe: await linkTo(to, '/u/') };
}
