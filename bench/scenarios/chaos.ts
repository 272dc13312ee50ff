import { checkInTokens } from '../load/check-in-tokens.ts';
import { OFFICE_DAY, routesOf } from '../load/mixes.ts';
import { startLoad } from '../load/start-load.ts';
import { lostOf } from './baseline.ts';
import { failedOf, type Scenario, unmet } from './scenario.ts';

const PER_SECOND = 30;
const BETWEEN_MS = 2_500;
const PEOPLE = 60;
const ROUNDS = { ci: 1, full: 5 };

/** kill -9 of each part in turn, under load; afterwards every write that was acknowledged is looked for. */
export const chaos: Scenario = {
  name: 'chaos',
  promise: 'nothing-lost',
  line: 'an acknowledged write is never lost: kill -9 of api, chat, mailer, Redis and the primary in turn, under load',

  async run({ layout, accounts, profile, historyFile, onSample }) {
    const { api, chat, databaseUrl, secretKey } = layout.addresses;
    const victims = ['api', 'chat', 'mailer', 'redis', 'primary'].flatMap((part) =>
      Array.from({ length: ROUNDS[profile] }, () => part),
    );
    const seconds = victims.length * 6;
    const day = startLoad(
      {
        kind: 'open-loop',
        url: api,
        arrivals: 'poisson',
        seed: 13,
        phases: [{ seconds, perSecond: PER_SECOND }],
        mix: OFFICE_DAY,
        accounts,
        historyFile,
      },
      onSample,
    );
    const people = startLoad({
      kind: 'sockets',
      url: chat,
      tokens: await checkInTokens(databaseUrl, secretKey, { count: PEOPLE * victims.length }),
      atOnce: PEOPLE,
      connectSeconds: 2,
      mode: 'steady',
      pace: { kind: 'think', minMs: 100, maxMs: 1_000 },
      seconds,
      seed: 17,
      historyFile: `${historyFile}.chat`,
    });
    let killed = 0;
    for (const part of victims) {
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
      await layout.kill(part, 'SIGKILL');
      killed++;
      await layout.restart(part);
    }
    const [dayFigures, chatFigures] = [await day.figures, await people.figures];
    const lost = await lostOf(databaseUrl, [historyFile, `${historyFile}.chat`]);
    const wrong = dayFigures.wrong + chatFigures.wrong;
    return {
      met: lost === 0 && wrong === 0,
      reasons: unmet({
        [`nothing that was acknowledged is lost, doubled or out of order (${lost})`]: lost === 0,
        [`no wrong answer (${wrong}: ${dayFigures.wrongSamples[0] ?? chatFigures.wrongSamples[0] ?? ''})`]: wrong === 0,
      }),
      figures: {
        killed,
        acknowledgedAnswers: chatFigures.acknowledged,
        failedMeanwhile: failedOf(dayFigures).failed,
        lost,
        wrong,
      },
      loads: { day: dayFigures, chat: chatFigures },
      covers: [...routesOf(dayFigures.byRoute), ...routesOf(chatFigures.byRoute)],
    };
  },
};
