import { createMetrics } from '../../../src/process/metrics.ts';
import { createFanOut } from '../../../src/socket/fan-out.ts';
import type { Channel, Parts } from './case.ts';

/** Notices when something may have been missed, and then reads it from where it is stored. */
export async function openChannel({ redis, channel, deliver, catchUp }: Parts): Promise<Channel> {
  const fanOut = createFanOut({
    ...{ redis, name: channel, onGap: catchUp, metrics: createMetrics('bench') },
    onMessage: (_key, text) => deliver(Number(text)),
  });
  await fanOut.join('everybody');
  return { publish: (seq) => fanOut.publish('everybody', String(seq)), close: fanOut.close };
}
