import { openFanOut } from '../../../src/socket/fan-out.ts';
import type { Channel, Parts } from './case.ts';

/** Notices when something may have been missed, and then reads it from where it is stored. */
export async function openChannel({ redis, channel, deliver, catchUp }: Parts): Promise<Channel> {
  const fanOut = openFanOut({
    ...{ redis, channel, onGap: catchUp },
    deliver: (_key, message) => deliver((message as { seq: number }).seq),
  });
  return { publish: (seq) => fanOut.publish('everybody', { seq }), close: () => void fanOut.close() };
}
