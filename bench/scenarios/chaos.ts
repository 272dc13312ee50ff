import { lostOf } from '../load/history.ts';
import { loadsOf, startDay } from './day.ts';
import { failuresOf, type Scenario } from './scenario.ts';

const PER_SECOND = 30;
const BETWEEN_MS = 2_500;
const SECONDS_EACH = 6;
const ROUNDS = { ci: 1, full: 5 };
const PARTS = ['api', 'chat', 'mailer', 'redis', 'primary'];

/** kill -9 of each part in turn, under load; afterwards every write that was acknowledged is looked for. */
export const chaos: Scenario = {
  name: 'chaos',
  promise: 'nothing-lost',
  line: 'an acknowledged write is never lost: kill -9 of api, chat, mailer, Redis and the primary in turn, under load',
  gates: true,
  kills: true,

  async run(context) {
    const { layout, profile, workload } = context;
    const victims = PARTS.flatMap((part) => Array.from({ length: ROUNDS[profile] }, () => part));
    const seconds = victims.length * SECONDS_EACH;
    const day = await startDay(context, { seconds, perSecond: PER_SECOND, seed: 13 });
    let killed = 0;
    for (const part of victims) {
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
      await layout.kill(part, 'SIGKILL');
      killed++;
      await layout.restart(part);
    }
    const loads = loadsOf(await day.ended);
    const { databaseUrl } = layout.addresses;
    const { lost, acknowledged, sample } = await lostOf(databaseUrl, workload.history, day.histories);
    const { wrong, failed, sample: wrongSample } = failuresOf(loads);
    return {
      conditions: [
        { says: `something was acknowledged (${acknowledged})`, holds: acknowledged > 0 },
        {
          says: `nothing that was acknowledged is lost, doubled or out of order (${lost}: ${sample})`,
          holds: lost === 0,
        },
        { says: `no wrong answer (${wrong}: ${wrongSample})`, holds: wrong === 0 },
      ],
      figures: { killed, acknowledged, failedMeanwhile: failed, lost, wrong },
      loads,
    };
  },
};
