/** An office day, and everything that the modules have going on beside it. */
import type { Alongside } from '../load/alongside.ts';
import { startLoad } from '../load/start-load.ts';
import type { LoadFigures } from '../types.ts';
import type { ScenarioContext } from './scenario.ts';

export interface DayOptions {
  readonly seconds: number;
  /** Of the office day; what goes on beside it has rates of its own. */
  readonly perSecond: number;
  readonly seed: number;
  readonly warmUpSeconds?: number;
}

export interface Day {
  /** Files of acknowledged writes. */
  readonly histories: readonly string[];
  readonly ended: Promise<readonly DayLoad[]>;
}

export interface DayLoad {
  readonly name: string;
  readonly judgedBy?: string | undefined;
  readonly figures: LoadFigures;
}

/** Resolves when all of it runs. */
export async function startDay(
  context: Pick<ScenarioContext, 'layout' | 'accounts' | 'benches' | 'workload' | 'historyFile' | 'onSample'>,
  { seconds, perSecond, seed, warmUpSeconds = 0 }: DayOptions,
): Promise<Day> {
  const { layout, accounts, workload, historyFile, onSample } = context;
  const { addresses } = layout;
  const beside = await Promise.all(
    (await alongsideOf(context)).map(async (one) => {
      const file = `${historyFile}.${one.name}`;
      return { ...one, file, ready: await one.plan({ addresses, accounts, seconds, seed, historyFile: file }) };
    }),
  );
  const day = startLoad(
    {
      kind: 'open-loop',
      url: addresses.api,
      arrivals: 'poisson',
      seed,
      phases: [{ seconds, perSecond }],
      mix: workload.officeDay,
      accounts,
      warmUpSeconds,
      historyFile,
    },
    onSample,
  );
  const loads = [
    { name: 'day', judgedBy: undefined, figures: day.figures },
    ...beside.map(({ name, judgedBy, ready }) => ({ name, judgedBy, figures: startLoad(ready).figures })),
  ];
  return {
    histories: [historyFile, ...beside.map(({ file }) => file)],
    ended: Promise.all(loads.map(async (load) => ({ ...load, figures: await load.figures }))),
  };
}

async function alongsideOf({ benches }: Pick<ScenarioContext, 'benches'>): Promise<Alongside[]> {
  const faces = await Promise.all(benches.map(async (bench) => bench.alongside?.()));
  return faces.flatMap((face) => face?.alongside ?? []);
}

/** By name, as a result has them. */
export function loadsOf(loads: readonly DayLoad[]): Record<string, LoadFigures> {
  return Object.fromEntries(loads.map(({ name, figures }) => [name, figures]));
}

/** Of the request or message that speaks for the load. */
export function judgedLatency({ judgedBy, figures }: DayLoad): LoadFigures['latency'] {
  return (judgedBy === undefined ? undefined : figures.byRoute[judgedBy]) ?? figures.latency;
}
