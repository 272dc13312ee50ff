import { round } from '../numbers.ts';
import { baseline } from './baseline.ts';
import type { Scenario } from './scenario.ts';

const MB = 1024 * 1024;
const AIM_MB = 400;

/** The same day again, with everything (primary, replica, Redis, api, mailer, chat) inside one box. */
export const oneNano: Scenario = {
  name: 'one-nano',
  promise: 'fits-one-nano',
  line: `everything in ONE box of 512 MB holds the same day: nothing wrong, lost or killed (aim: under ${AIM_MB} MB)`,
  gates: true,

  async run(context) {
    const findings = await baseline.run(context);
    const nano = context.layout.boxes.get('nano')?.figures();
    const killed = nano?.oomKills ?? 0;
    return {
      ...findings,
      conditions: [...findings.conditions, { says: `the kernel killed no process (${killed})`, holds: killed === 0 }],
      figures: {
        neededPeakMb: round((nano?.neededPeakBytes ?? 0) / MB),
        underAim: (nano?.neededPeakBytes ?? Number.POSITIVE_INFINITY) < AIM_MB * MB,
        oomKills: killed,
        ...findings.figures,
      },
    };
  },
};
