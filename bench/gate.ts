/**
 * What makes `npm run bench:nano` fail. Only what a noisy machine does not change: kills, wrong or lost records, memory,
 * routes that nobody loads, and the lines that are listed here. Times are published, and gate nothing by themselves; but a
 * machine too busy for the generator fails the run: what gates was not measured, which is no pass.
 */
import type { RunResult, ScenarioResult } from './types.ts';

const MB = 1024 * 1024;

/** Of 512: what a process needs, page cache of plain files left out. */
export const NEEDED_BYTES_MAX = 400 * MB;

/** Scenarios whose line, not met or not measured, fails the run. */
export const GATING = ['baseline', 'counters', 'chat-order', 'chaos', 'one-nano', 'storm'];

/** Why the run fails; empty when it passes. */
export function gateFaults(
  run: Pick<RunResult, 'scenarios' | 'enforcedBy'>,
  uncovered: readonly string[],
  soft: boolean,
): string[] {
  return [
    ...(run.enforcedBy === 'none' && !soft ? ['nothing enforced a limit: this run proves nothing'] : []),
    ...run.scenarios.flatMap(scenarioFaults),
    // Without limits all is void, which --soft has agreed to.
    ...(run.enforcedBy === 'none' ? [] : run.scenarios.flatMap(voidFaults)),
    ...uncovered.map((route) => `no scenario loads ${route}`),
  ];
}

function scenarioFaults(scenario: ScenarioResult): string[] {
  const { name, figures, boxes, outcome, reasons } = scenario;
  const count = (figure: string) => Number(figures[figure] ?? 0);
  return [
    ...Object.entries(boxes).flatMap(([box, { oomKills, neededPeakBytes }]) => [
      ...(oomKills > 0 ? [`${name}: the kernel killed ${oomKills} in ${box} for want of memory`] : []),
      ...(name !== 'one-nano' && neededPeakBytes > NEEDED_BYTES_MAX
        ? [`${name}: ${box} needed ${Math.round(neededPeakBytes / MB)} MB, more than ${NEEDED_BYTES_MAX / MB}`]
        : []),
    ]),
    ...(count('lost') > 0 ? [`${name}: ${count('lost')} acknowledged writes lost, doubled or out of order`] : []),
    ...(count('wrong') > 0 ? [`${name}: ${count('wrong')} wrong answers`] : []),
    ...(count('leaking') > 0
      ? reasons.filter((reason) => reason.startsWith('memory of ')).map((reason) => `${name}: ${reason}`)
      : []),
    ...(GATING.includes(name) && outcome === 'not met' ? [`${name}: ${reasons.join('; ')}`] : []),
  ];
}

function voidFaults({ name, outcome, reasons }: ScenarioResult): string[] {
  if (outcome !== 'void' || !GATING.includes(name)) return [];
  return [`${name}: void, so this run proves nothing of it: ${reasons.join('; ')}`];
}
