/** Faults that the alerts about the processes themselves must notice, and whether anybody looks at them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { killPart } from './kill-part.ts';
import { SPARE } from './plant-memory.ts';
import { NOTHING, type PlantedAlert } from './planted-alert.ts';

const SECOND_API = 'api-2';

export const PROCESS_FAULTS: readonly PlantedAlert[] = [
  {
    rule: 'EventLoopDelayed',
    fault: 'chat-2 stands still for 0.4 s of each second',
    group: 1,
    async plant({ layout }) {
      let ended = false;
      const pulsing = (async () => {
        while (!ended) {
          await layout.kill(SPARE, 'SIGSTOP');
          await sleep(400);
          await layout.kill(SPARE, 'SIGCONT');
          await sleep(600);
        }
      })();
      return async () => {
        ended = true;
        await pulsing;
      };
    },
  },
  {
    rule: 'ProcessMissing',
    fault: `kill -9 of ${SECOND_API}, and nobody starts it again`,
    group: 3,
    lasts: true,
    plant: ({ layout }) => killPart(layout, SECOND_API),
  },
  {
    rule: 'NotScraped',
    fault: 'the same',
    group: 3,
    lasts: true,
    toldBy: 'Prometheus only',
    plant: ({ layout }) => killPart(layout, SECOND_API),
  },
  {
    rule: 'NothingScraped',
    fault: 'the scrape configuration has no targets any more',
    group: 9,
    minutes: 3,
    toldBy: 'Prometheus only',
    plant: async ({ prometheus }) => (await prometheus?.forgetTargets()) ?? NOTHING,
  },
  {
    rule: 'Watchdog',
    fault: 'none: it always fires',
    group: 0,
    toldBy: 'Prometheus only',
    plant: async () => NOTHING,
  },
  {
    rule: 'Crashing',
    fault: 'kill -9 of chat-2, three times',
    group: 4,
    async plant({ layout }) {
      for (let time = 0; time < 3; time++) {
        await layout.kill(SPARE, 'SIGKILL');
        await layout.restart(SPARE);
        await sleep(5_000); // its first report
      }
      return NOTHING;
    },
  },
];
