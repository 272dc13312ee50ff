import { createHash } from 'node:crypto';
import type { PatternCase } from '../pattern.ts';
import { openShop, type Shop } from './shop.ts';

type Twin = { backupIsGood(shop: Shop): Promise<boolean> };
type Input = { readonly hours: number; readonly hourOfLoss: number };

const HOURS = 3;
const ORDERS_PER_HOUR = 500;
const ORDERS = HOURS * ORDERS_PER_HOUR;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'scripts/restore/recovery.ts',
  withoutIt:
    'one file of the archived log is gone, and everything written after it turns out to be lost on the day it is needed',
  asks: `A shop takes ${ORDERS_PER_HOUR} orders an hour for ${HOURS} hours, backed up once, its log archived; in the last hour the archive loses a file. After each hour somebody checks the backup, and takes a new one if it is not good. Then the disk is lost.`,
  breaks: 'orders do not come back, although every check has said that the backup was good',
  holds: 'all orders come back',
  headline: ({ lost = 0 }) => `${lost.toLocaleString('en')} of ${ORDERS.toLocaleString('en')} orders lost`,
  small: { hours: 1, hourOfLoss: 0 },
  full: { hours: HOURS, hourOfLoss: HOURS },

  async perform({ backupIsGood }, { hours, hourOfLoss }) {
    const shop = await openShop();
    let backupsTakenAnew = 0;
    try {
      await shop.backUp();
      for (let hour = 1; hour <= hours; hour++) {
        await shop.takeOrders(ORDERS_PER_HOUR);
        if (hour === hourOfLoss) shop.loseArchivedFile();
        if (await backupIsGood(shop)) continue;
        await shop.backUp();
        backupsTakenAnew++;
      }
      const taken = await shop.orders();
      const restored = await shop.loseDiskAndRestore();
      return {
        digest: createHash('sha256').update(restored.join()).digest('hex'),
        figures: { lost: taken.length - restored.length, backupsTakenAnew },
      };
    } finally {
      await shop.close();
    }
  },

  isBroken: ({ figures }, hardened) => (figures.lost ?? 0) > (hardened.figures.lost ?? 0),
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.lost === 0,
};
