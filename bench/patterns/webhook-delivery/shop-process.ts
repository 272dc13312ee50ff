/** One generation of the shop: `fork('shop-process.ts', [<twin>])`. Places the orders that it is sent, and says so. */
import { loadTwin, type TwinName } from '../pairs.ts';
import type { Servers } from '../pattern.ts';
import type { OpenShop } from './case.ts';

const { servers, endpoints } = JSON.parse(process.env.SHOP ?? '{}') as { servers: Servers; endpoints: string[] };
const { openShop } = (await loadTwin('webhook-delivery', process.argv[2] as TwinName)) as { openShop: OpenShop };
const shop = openShop(servers, endpoints);

process.on('message', async (order: number) => {
  await shop.place(order);
  process.send?.(order);
});
