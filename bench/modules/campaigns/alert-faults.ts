import type { FaultContext, PlantedAlert } from '../../alerts/planted-alert.ts';
import { call } from '../../call.ts';

export const alertFaults: readonly PlantedAlert[] = [
  {
    rule: 'CampaignsStopped',
    fault: 'a campaign is launched while the mail server is away',
    group: 20,
    minutes: 11,
    async plant(context) {
      await context.layout.kill('mail', 'SIGKILL');
      await sendMails(context);
      return () => context.layout.restart('mail');
    },
  },
];

/** To everybody of the largest organisation: hundreds. */
async function sendMails({ layout, accounts }: FaultContext): Promise<void> {
  const account = accounts.find(({ role, isSmall }) => role !== 'viewer' && isSmall !== true);
  if (account === undefined) throw new Error('nobody is signed in who may launch a campaign');
  const { api } = layout.addresses;
  const body = { name: 'Planted', subject: 'Hello', body: 'Hello {{name}}' };
  const { json } = await call<{ id: number }>(api, '/api/v1/campaigns', { method: 'POST', token: account.token, body });
  await call(api, `/api/v1/campaigns/${json.id}/launch`, { method: 'POST', token: account.token });
}
