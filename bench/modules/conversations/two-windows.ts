import path from 'node:path';
import { startLayout } from '../../layout/layout.ts';
import { startLoad } from '../../load/start-load.ts';
import { round } from '../../numbers.ts';
import { markdownTable } from '../../report/markdown-table.ts';
import type { OwnLayoutScenario } from '../../scenarios/scenario.ts';
import { invite } from './invite.ts';
import { OTHER_WINDOW, WINDOWS, type WindowsPlan } from './windows-plan.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '..', '..', '.tardigrade', 'bench', 'two-windows');
const SEED_SCALE = 0.25;
const QUESTIONS = 8;
const PEOPLE = { ci: 20, full: 300 };
const THINK_MS = { min: 1_500, max: 2_500 };
const SECONDS = { ci: 6, full: 15 };
const CONNECT_SECONDS = 2;
const SHOWN_P99_MS_MAX = 100;

/** What a person answers on one device is on the other one as well, whichever process that is connected to. */
export const twoWindows: OwnLayoutScenario = {
  name: 'two-windows',
  promise: 'two-windows',
  line: `of ${PEOPLE.full} people with a window on each of two chat processes, what one window answers is in the other one within ${SHOWN_P99_MS_MAX} ms (p99), and none is missed`,
  profile: 'full',

  async run({ profile, soft, onSample, say, watch }) {
    const without = ['mail', 'replica', 'mailer', 'api', 'api-2'] as const;
    const layout = await startLayout({ kind: 'two-each', seedScale: SEED_SCALE, folder: FOLDER, soft, without });
    try {
      watch(layout);
      const plan: WindowsPlan = {
        kind: WINDOWS,
        urls: layout.addresses.chats as [string, string],
        tokens: await invite(layout.addresses, { people: PEOPLE[profile], questions: QUESTIONS }),
        connectSeconds: CONNECT_SECONDS,
        thinkMs: THINK_MS,
        seconds: SECONDS[profile],
        seed: 31,
      };
      const figures = await startLoad(plan, onSample).figures;
      const { count = 0, p50Ms = 0, p99Ms = 0, maxMs = 0 } = figures.byRoute[OTHER_WINDOW] ?? {};
      const times = [p50Ms, p99Ms, maxMs].map((ms) => round(ms));
      const head = ['people', 'answers', 'shown within: p50', 'p99', 'longest', 'never shown'];
      const cells = [PEOPLE[profile], count, ...times.map((ms) => `${ms} ms`), figures.failed].map(String);
      say(`\n${markdownTable(head, [cells], [])}\n`);
      return {
        conditions: [
          { says: `people answered (${count})`, holds: count > PEOPLE[profile] },
          { says: `within ${SHOWN_P99_MS_MAX} ms (p99 ${round(p99Ms)} ms)`, holds: p99Ms < SHOWN_P99_MS_MAX },
          { says: `none is missed (${figures.failed})`, holds: figures.failed === 0 },
          {
            says: `nothing was wrong (${figures.wrong}: ${figures.wrongSamples[0] ?? ''})`,
            holds: figures.wrong === 0,
          },
        ],
        inconclusive: layout.inconclusiveReasons(),
        figures: {
          ...{ shownP50Ms: times[0] ?? 0, shownP99Ms: times[1] ?? 0, shownMaxMs: times[2] ?? 0 },
          ...{ answers: count, neverShown: figures.failed, wrong: figures.wrong },
        },
        loads: { windows: figures },
        boxes: Object.fromEntries([...layout.boxes].map(([name, box]) => [name, box.figures()])),
        memory: layout.memorySamples(),
      };
    } finally {
      watch(undefined);
      await layout.stop();
    }
  },
};
