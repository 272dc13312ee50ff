import { baseline } from './baseline.ts';
import { round, type Scenario, type Verdict } from './scenario.ts';

const MB = 1024 * 1024;
const AIM_MB = 400;

/** The sample workload again, with everything (primary, replica, Redis, api, mailer, chat) inside one box. */
export const oneNano: Scenario = {
  name: 'one-nano',
  promise: 'fits-one-nano',
  line: `everything in ONE box of 512 MB runs the sample workload: nothing wrong, lost or killed (aim: under ${AIM_MB} MB)`,

  async run(context): Promise<Verdict> {
    const verdict = await baseline.run(context);
    const nano = context.layout.boxes.get('nano')?.figures();
    const killed = nano?.oomKills ?? 0;
    return {
      ...verdict,
      met: verdict.met && killed === 0,
      reasons: [...verdict.reasons, ...(killed === 0 ? [] : [`the kernel killed ${killed} processes`])],
      figures: {
        neededPeakMb: round((nano?.neededPeakBytes ?? 0) / MB),
        underAim: (nano?.neededPeakBytes ?? Number.POSITIVE_INFINITY) < AIM_MB * MB,
        oomKills: killed,
        ...verdict.figures,
      },
    };
  },
};
