import { namesIn } from '../arguments.ts';
import { call } from '../call.ts';
import type { Layout } from '../layout/layout.ts';
import { lastSecond, samplesSince } from '../layout/memory-samples.ts';
import type { Account } from '../load/plan.ts';
import type { Phase } from '../load/schedule.ts';
import { mayGoFirst } from '../load/scheduling.ts';
import { type RunningLoad, startLoad } from '../load/start-load.ts';
import { median, round } from '../numbers.ts';
import { ATTACK, ATTACKS, type AttackFigures, type AttackName, type AttackPlan } from '../platform/attack-plan.ts';
import { ATTACK_COURSES } from '../platform/attacks.ts';
import type { LoadFigures } from '../types.ts';
import { failuresOf, type Scenario, type ScenarioContext } from './scenario.ts';

const PER_SECOND = 40;
const OTHERS_PER_SECOND = 10;
/** Odd, so that the median is one of them. */
const ROUNDS = { ci: 3, full: 5 };
const WARM_UP_SECONDS = 3;
const QUIET_SECONDS = { ci: 3, full: 4 };
const ATTACK_SECONDS = { ci: 3, full: 5 };
/** In which the attack's sockets connect: what is asked meanwhile counts for failures, not for the p95. */
const ONSET_SECONDS = 2;
/** In which the server gets rid of what is left of it, and the process of the next one starts. */
const REST_SECONDS = 3;
const RATIO_MAX = 2;
const PART = 'api';
/** Phases from the rest, in which the attack's process starts, to its onset: it must not start within a quiet one. */
const BEFORE_ONSET = 2;
const MB = 1024 * 1024;

/** Clients that mean no good, one kind after another, while others go on with their work. */
export const attacks: Scenario = {
  name: 'attacks',
  promise: 'attacks',
  line: `${ATTACKS.length} attacks, one after another (${ATTACKS.join(', ')}): the p95 of an ordinary request stays within ${RATIO_MAX} times that just before (the median of ${ROUNDS.full} rounds), nothing of anybody else fails, and the api is the same process afterwards (--parts="sign-ins at once",… for single ones)`,
  gates: 'full',
  profile: 'full',

  async run(context) {
    const { layout } = context;
    const pid = layout.pid(PART);
    const exports = await exportsOf(layout.addresses.api);
    const all: [AttackName, Suffered][] = [];
    for (const attack of chosenAttacks(context.parts)) all.push([attack, await suffer(context, attack, exports)]);
    const after = layout.pid(PART);
    const failures = failuresOf(Object.assign({}, ...all.map(([attack, { loads }]) => prefixed(attack, loads))));
    return {
      conditions: [
        { says: `the api is the same process (${pid}, then ${after})`, holds: pid !== undefined && pid === after },
        {
          says: `nothing of anybody else is refused, fails or is wrong (${failures.refused}, ${failures.failed}, ${failures.wrong}: ${failures.sample})`,
          holds: failures.all === 0,
        },
        ...all.map(([attack, suffered]) => ({
          says: `${attack}: p95 within ${RATIO_MAX} times that just before (${described(suffered)})`,
          holds: suffered.ratio <= RATIO_MAX,
        })),
        ...all.map(([attack, { attackers }]) => ({
          says: `${attack}: they did attack (${attackers.map(({ connections }) => connections).join(', ')} connections)`,
          holds: attackers.every(({ connections }) => connections >= ATTACK_COURSES[attack].sockets),
        })),
      ],
      hints: [
        'the attackers take what the product leaves of one core of this machine',
        ...(mayGoFirst() ? [] : ['no realtime policy here: a time can hold a wait of the generator for a processor']),
      ],
      figures: {
        worstRatio: Math.max(...all.map(([, { ratio }]) => ratio)),
        failed: failures.failed + failures.refused,
        wrong: failures.wrong,
        memoryPeakMb: Math.max(...all.map(([, { memoryPeakMb }]) => memoryPeakMb)),
        ...Object.fromEntries(all.map(([attack, suffered]) => [attack, described(suffered)])),
      },
      loads: Object.assign({}, ...all.map(([attack, { loads }]) => prefixed(attack, loads))),
    };
  },
};

export function chosenAttacks(parts: readonly string[] | undefined): readonly AttackName[] {
  const wanted = namesIn(parts?.join(','), ATTACKS);
  return ATTACKS.filter((attack) => wanted?.includes(attack) ?? true);
}

interface Suffered {
  readonly rounds: readonly Round[];
  /** The median of the rounds: a machine under the bench has bad seconds, and they spoil the round in which they fall. */
  readonly ratio: number;
  readonly failed: number;
  /** That the api used: without the attack, and under it. */
  readonly cores: Readonly<Record<Kind, number>>;
  readonly memoryPeakMb: number;
  /** In each round. */
  readonly attackers: readonly AttackFigures[];
  readonly loads: Readonly<Record<string, LoadFigures>>;
}

async function suffer(context: ScenarioContext, attack: AttackName, exports: readonly string[]): Promise<Suffered> {
  const { layout, accounts, benches, workload, profile, onSample } = context;
  const phases = phasesOf(profile);
  const begunAt = lastSecond(layout.memorySamples());
  const plan = { kind: 'open-loop', url: layout.addresses.api, arrivals: 'poisson', accounts, seed: 43 } as const;
  // The platform's comes first in the list: a module's own says more.
  const ordinary = benches.flatMap(({ capacity = [] }) => capacity).at(-1)?.route ?? '';
  const judged = startLoad<LoadFigures>({ ...plan, phases, mix: { [ordinary]: 1 } }, onSample);
  const others = startLoad<LoadFigures>({
    ...plan,
    phases: atRate(phases, OTHERS_PER_SECOND),
    mix: workload.officeDay,
  });

  const cpu = watchCpu(layout, judged, phases);
  const attackers: AttackFigures[] = [];
  for (const [nth, { name }] of phases.entries()) {
    if (name === undefined || kindOf(name) !== ONSET) continue;
    await judged.event(`phase ${nth - BEFORE_ONSET}`);
    const begins = judged.event(`phase ${nth}`);
    const attackPlan = { attack, url: layout.addresses.api, accounts: accounts.filter(mayExport), exports, seed: nth };
    const attacking = startAttack(attackPlan, begins);
    await judged.event(`phase ${nth + 2}`);
    attacking.stop();
    attackers.push(await attacking.figures);
  }
  const loads = { ordinary: await judged.figures, others: await others.figures };
  const rounds = roundsOf(loads.ordinary, profile);
  const memory = samplesSince(begunAt, layout.memorySamples())[PART] ?? [];
  return {
    rounds,
    ratio: ratioOf(rounds),
    failed: failuresOf(loads).all,
    cores: await cpu,
    memoryPeakMb: Math.round(Math.max(0, ...memory.map(([, bytes]) => bytes)) / MB),
    attackers,
    loads,
  };
}

interface Round {
  readonly quietP95Ms: number;
  readonly attackP95Ms: number;
}

/** NaN, which is not met, where a round is missing. */
function ratioOf(rounds: readonly Round[]): number {
  const ratios = rounds.map(({ attackP95Ms, quietP95Ms }) => attackP95Ms / quietP95Ms);
  return ratios.every(Number.isFinite) ? round(median(ratios), 2) : Number.NaN;
}

function roundsOf({ byPhase = {} }: LoadFigures, profile: ScenarioContext['profile']): Round[] {
  return Array.from({ length: ROUNDS[profile] }, (_, nth) => ({
    quietP95Ms: byPhase[`${QUIET} ${nth}`]?.p95Ms ?? Number.NaN,
    attackP95Ms: byPhase[`${ATTACKED} ${nth}`]?.p95Ms ?? Number.NaN,
  }));
}

const [QUIET, ONSET, ATTACKED] = ['quiet', 'onset', 'attacked'] as const;
type Kind = typeof QUIET | typeof ATTACKED;

/** Of a phase named `attacked 3`. */
const kindOf = (name: string) => name.split(' ')[0];

/** What the box of the api used in the phases of each kind, in cores: other work on the machine does not change it. */
async function watchCpu(layout: Layout, load: RunningLoad<LoadFigures>, phases: readonly Phase[]) {
  const used = { [QUIET]: 0, [ATTACKED]: 0 };
  const seconds = { [QUIET]: 0, [ATTACKED]: 0 };
  const cpuSeconds = () => layout.boxes.get(PART)?.figures().cpuSeconds ?? 0;
  for (const [nth, { name = '', seconds: lasted }] of phases.entries()) {
    const kind = kindOf(name);
    if (kind !== QUIET && kind !== ATTACKED) continue;
    await load.event(`phase ${nth}`);
    const before = cpuSeconds();
    await load.event(`phase ${nth + 1}`);
    used[kind] += cpuSeconds() - before;
    seconds[kind] += lasted;
  }
  return { [QUIET]: round(used[QUIET] / seconds[QUIET], 2), [ATTACKED]: round(used[ATTACKED] / seconds[ATTACKED], 2) };
}

/** Quiet and attack in turn, so that what changes on the machine meanwhile changes both. */
function phasesOf(profile: ScenarioContext['profile']): Phase[] {
  const phase = (seconds: number, name?: string) => ({ seconds, perSecond: PER_SECOND, ...(name ? { name } : {}) });
  const round = (nth: number) => [
    phase(QUIET_SECONDS[profile], `${QUIET} ${nth}`),
    phase(ONSET_SECONDS, `${ONSET} ${nth}`),
    phase(ATTACK_SECONDS[profile], `${ATTACKED} ${nth}`),
    phase(REST_SECONDS),
  ];
  return [phase(WARM_UP_SECONDS), ...Array.from({ length: ROUNDS[profile] }, (_, nth) => round(nth)).flat()];
}

function atRate(phases: readonly Phase[], perSecond: number): Phase[] {
  return phases.map(({ seconds }) => ({ seconds, perSecond }));
}

function startAttack(plan: Omit<AttackPlan, 'kind' | 'seconds'>, begins: Promise<void>): RunningLoad<AttackFigures> {
  const whole = { ...plan, kind: ATTACK, seconds: ATTACK_SECONDS_MAX } as AttackPlan;
  return startLoad<AttackFigures>(whole, undefined, { ownSession: true, begins });
}

/** Should it not be stopped. */
const ATTACK_SECONDS_MAX = 60;

const mayExport = ({ role }: Account) => role !== 'viewer';

/** All files that are streamed, as the document has them. */
async function exportsOf(apiUrl: string): Promise<string[]> {
  const { paths } = (await call<{ paths: Record<string, object> }>(apiUrl, '/docs/openapi.json')).json;
  return Object.keys(paths).filter((path) => path.startsWith('/api/v1/exports/') && !path.includes('{'));
}

function prefixed(attack: AttackName, loads: Suffered['loads']): Record<string, LoadFigures> {
  return Object.fromEntries(Object.entries(loads).map(([name, load]) => [`${attack}: ${name}`, load]));
}

function described({ rounds, ratio, failed, cores, memoryPeakMb, attackers }: Suffered): string {
  const connections = attackers.reduce((total, figures) => total + figures.connections, 0);
  const answers: Record<string, number> = {};
  for (const { answers: own } of attackers)
    for (const [status, times] of Object.entries(own)) answers[status] = (answers[status] ?? 0) + times;
  const answered = Object.entries(answers).map(([status, times]) => `${times} times ${status}`);
  const compared = rounds.map(({ quietP95Ms, attackP95Ms }) => `${round(quietP95Ms)} and ${round(attackP95Ms)}`);
  return `${compared.join(', ')} ms: ${ratio} times; ${failed} failed; api ${cores.quiet} cores, then ${cores.attacked}, ${memoryPeakMb} MB; ${connections} connections, answered ${answered.join(', ') || 'nothing'}`;
}
