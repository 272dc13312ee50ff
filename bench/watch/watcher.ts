/**
 * Samples once a second the boxes, each process's /metrics and what the load tells, shows it in the live view, and
 * remembers it, so that the first trouble can be named at the end.
 */
import type { Layout } from '../layout/layout.ts';
import type { Account, LoadSample } from '../load/plan.ts';
import type { LiveBox, LiveView } from '../report/live.ts';
import { firstTrouble } from './first-trouble.ts';
import { WATCH_EVERY_MS, WATCH_SAMPLES_MAX } from './limits.ts';
import { operations } from './operations.ts';
import { processMetrics } from './process-metrics.ts';
import type { WatchSample } from './watch-sample.ts';

export interface Watcher {
  /** From now on this layout, and what its processes say when they may be asked; undefined: nothing. */
  show(layout: Layout | undefined, ask?: Ask): void;
  onLoad(sample: LoadSample): void;
  /** Stops; the first sign of trouble, in words, if there was one. */
  end(): string | undefined;
}

/** `nothing`: boxes are measured from outside. The account of an operator reads the operations page; without one queues and lag stay unknown. */
export type Ask = 'nothing' | { readonly account?: Account | undefined };

/** For one scenario. */
export function watchScenario(scenario: string, view: LiveView): Watcher {
  const begun = performance.now();
  const samples: WatchSample[] = [];
  let target: Target | undefined;
  let load: LoadSample | undefined;
  let sampling = false;

  const takeSample = async () => {
    const at = target;
    if (sampling || at === undefined) return;
    sampling = true;
    // Without an answer in time a round is late, never doubled.
    const { deaths, ...state } = await stateOf(at).finally(() => {
      sampling = false;
    });
    if (at !== target) return;
    const elapsedSeconds = (performance.now() - begun) / 1000;
    const due = load === undefined ? 0 : elapsedSeconds + Math.max(0, load.dueSeconds - load.atSeconds);
    const sample: WatchSample = {
      scenario,
      elapsedSeconds,
      dueSeconds: due,
      ...state,
      deaths,
      ...(load === undefined ? {} : { load, generator: { elu: load.elu, dropped: load.dropped } }),
    };
    load = undefined; // each is shown once: a load that has ended says nothing any more
    if (samples.length < WATCH_SAMPLES_MAX) samples.push(sample);
    view.show(sample);
  };
  const timer = setInterval(() => void takeSample(), WATCH_EVERY_MS);

  return {
    show(layout, ask = {}) {
      target = layout === undefined ? undefined : createTarget(layout, ask);
    },
    onLoad(sample) {
      load = sample;
    },
    end() {
      clearInterval(timer);
      target = undefined;
      view.end();
      return firstTrouble(samples);
    },
  };
}

/** A layout, and how it was when the watching began: only what happens from then on is news. */
interface Target {
  readonly layout: Layout;
  readonly ask: Ask;
  readonly oomKillsBefore: ReadonlyMap<string, number>;
  readonly deathsBefore: number;
  readonly cpuBefore: Map<string, { seconds: number; at: number }>;
}

function createTarget(layout: Layout, ask: Ask): Target {
  const figures = [...layout.boxes].map(([name, box]) => ({ name, ...box.figures() }));
  const at = performance.now();
  return {
    layout,
    ask,
    oomKillsBefore: new Map(figures.map(({ name, oomKills }) => [name, oomKills])),
    deathsBefore: layout.deaths().length,
    cpuBefore: new Map(figures.map(({ name, cpuSeconds }) => [name, { seconds: cpuSeconds, at }])),
  };
}

async function stateOf(target: Target): Promise<Pick<WatchSample, 'boxes' | 'deaths' | 'queued' | 'replicaLagMs'>> {
  const { layout, ask } = target;
  const account = ask === 'nothing' ? undefined : ask.account;
  const processes = ask === 'nothing' ? [] : urlsOf(layout);
  const [whole, ...each] = await Promise.all([
    account === undefined ? undefined : operations(layout.addresses.api, account),
    ...processes.map(async ({ box, url }) => ({ box, metrics: await processMetrics(url) })),
  ]);
  const boxes = [...layout.boxes.keys()].map((name): [string, LiveBox] => {
    const metrics = each.find(({ box }) => box === name)?.metrics;
    return [name, { ...boxState(target, name), ...metrics }];
  });
  return { boxes: Object.fromEntries(boxes), deaths: layout.deaths().slice(target.deathsBefore), ...whole };
}

function boxState({ layout, oomKillsBefore, cpuBefore }: Target, name: string): LiveBox {
  const box = layout.boxes.get(name);
  if (box === undefined) throw new Error(`There is no box ${name}.`);
  const { limitBytes, cpuSeconds, oomKills } = box.figures();
  const at = performance.now();
  const before = cpuBefore.get(name) ?? { seconds: cpuSeconds, at };
  cpuBefore.set(name, { seconds: cpuSeconds, at });
  return {
    usedBytes: box.usedBytes(),
    limitBytes,
    oomKills: oomKills - (oomKillsBefore.get(name) ?? 0),
    ...(at > before.at ? { cpuShare: ((cpuSeconds - before.seconds) * 1000) / (at - before.at) } : {}),
  };
}

/** Where each box's process answers /metrics; in one nano, one process is all of them. */
function urlsOf({ kind, addresses }: Layout): { box: string; url: string }[] {
  if (kind === 'one-nano') return [{ box: 'nano', url: addresses.api }];
  return (['api', 'mailer', 'chat'] as const).map((box) => ({ box, url: addresses[box] }));
}
