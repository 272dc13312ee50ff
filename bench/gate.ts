/**
 * What makes `npm run bench:nano` fail. Only what a noisy machine does not change: kills, wrong or lost records, memory,
 * routes that nobody loads, and the lines of scenarios that gate (Scenario.gates). Times are published, and gate nothing by themselves; but a
 * machine too busy for the generator fails the run: what gates was not measured, which is not a pass.
 */
import type { RunResult, ScenarioResult } from './types.ts';

const MB = 1024 * 1024;

/** Of 512: what a process needs, page cache of plain files left out. */
export const NEEDED_BYTES_MAX = 400 * MB;

/** Why the run fails; empty when it passes. */
export function gateFaults(
  run: Pick<RunResult, 'scenarios' | 'enforcedBy'>,
  uncovered: readonly string[],
  soft: boolean,
): string[] {
  return [
    ...(run.enforcedBy === 'none' && !soft ? ['nothing enforced a limit: this run proves nothing'] : []),
    ...run.scenarios.flatMap(scenarioFaults),
    // Without limits everything is inconclusive, which --soft has agreed to.
    ...(run.enforcedBy === 'none' ? [] : run.scenarios.flatMap(inconclusiveFaults)),
    ...uncovered.map((route) => `no scenario loads ${route}`),
  ];
}

function scenarioFaults(scenario: ScenarioResult): string[] {
  const { name, gates, figures, boxes, outcome, reasons } = scenario;
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
      ? reasons.filter((reason) => reason.includes('memory of ')).map((reason) => `${name}: ${reason}`)
      : []),
    ...(gates === true && outcome === 'not met' ? [`${name}: ${reasons.join('; ')}`] : []),
  ];
}

function inconclusiveFaults({ name, gates, outcome, reasons }: ScenarioResult): string[] {
  if (outcome !== 'inconclusive' || gates !== true) return [];
  return [`${name}: inconclusive, so this run proves nothing of it: ${reasons.join('; ')}`];
}
