/** A run as one HTML file: no scripts, nothing fetched, light and dark; good to send, to print and to keep. */
import type { BoxFigures, RunResult, ScenarioResult } from '../types.ts';
import { duration, figure, figureName, megabytes, milliseconds, number } from './format.ts';
import type { HistoryEntry } from './history.ts';
import { historyPlots } from './history-plots.ts';
import { PAGE_CSS } from './page-css.ts';
import { escapeText } from './plot.ts';
import { scenarioPlots } from './scenario-plots.ts';

/** `history`: the runs of the main branch, this one last, for the plots at the end. */
export function resultPage(run: RunResult, history: readonly HistoryEntry[] = []): string {
  const title = `Tardigrade bench: ${run.commit.slice(0, 9)}${run.dirty ? ' (with changes)' : ''}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${PAGE_CSS}</style>
<main>
${header(run, title)}
${overview(run)}
${run.scenarios.map(section).join('\n')}
${historySection(history)}
${footer(run)}
</main>
</html>
`;
}

function header({ scenarios, startedAt, profile, layout, enforcedBy, seconds }: RunResult, title: string): string {
  const counts = (['met', 'not met', 'inconclusive', 'not run'] as const)
    .map((outcome) => ({ outcome, count: scenarios.filter((scenario) => scenario.outcome === outcome).length }))
    .filter(({ count }) => count > 0)
    .map(({ outcome, count }) => `<span class="badge ${slug(outcome)}">${count} ${outcome}</span>`);
  const how = layout === 'one-nano' ? 'everything in one box of 512 MB' : 'each part in a box of its own';
  return `<header><h1>${escapeText(title)}</h1>
<p class="counts">${counts.join(' ')}</p>
<p class="soft">${escapeText(startedAt.slice(0, 16).replace('T', ' '))} UTC, profile ${escapeText(profile)}, ${how}, limits enforced by ${escapeText(enforcedBy)}, ${duration(seconds)} in all.</p></header>`;
}

function overview({ scenarios }: RunResult): string {
  const rows = scenarios.map(
    (scenario) => `<tr><td><span class="badge ${slug(scenario.outcome)}">${scenario.outcome}</span></td>
<td><a href="#${escapeText(scenario.name)}">${escapeText(scenario.name)}</a></td><td>${escapeText(scenario.line)}</td>
<td>${tightest(scenario.boxes)}</td></tr>`,
  );
  return `<section><h2>The promises</h2><div class="wide"><table class="overview">
<thead><tr><th>outcome</th><th>scenario</th><th>what is promised</th><th>the fullest box</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div></section>`;
}

function tightest(boxes: ScenarioResult['boxes']): string {
  const [fullest] = Object.entries(boxes).sort(([, a], [, b]) => share(b) - share(a));
  if (fullest === undefined) return '–';
  const [name, box] = fullest;
  return `<span class="peak">${escapeText(name)} ${gauge(box)} ${megabytes(box.neededPeakBytes)}</span>`;
}

function section(scenario: ScenarioResult): string {
  const { name, outcome, line, reasons, figures, boxes, seconds } = scenario;
  const isNamed = ([key]: [string, unknown]) => key.includes(' ');
  const cards = Object.entries(figures)
    .filter((entry) => !isNamed(entry))
    .map(([key, value]) => card(figureName(key), figure(key, value), typeof value === 'string'));
  const why = reasons.map((reason) => `<li>${escapeText(reason)}</li>`).join('');
  return `<section id="${escapeText(name)}"><h2>${escapeText(name)} <span class="badge ${slug(outcome)}">${outcome}</span></h2>
<p>${escapeText(line)} <span class="soft">${duration(seconds)}</span></p>
${why === '' ? '' : `<ul class="reasons ${slug(outcome)}">${why}</ul>`}
<dl>${cards.join('')}</dl>
<div class="plots">${scenarioPlots(scenario).join('\n')}</div>
<div class="tables">${boxTable(boxes)}${namedTable(Object.entries(figures).filter(isNamed))}${routeTable(scenario)}</div></section>`;
}

const WORDS_CHARS = 12;
const SENTENCE_CHARS = 40;

function card(name: string, text: string, isText: boolean): string {
  const size = !isText || text.length <= WORDS_CHARS ? '' : text.length <= SENTENCE_CHARS ? 'words' : 'words sentence';
  return `<div><dt>${escapeText(name)}</dt><dd${size === '' ? '' : ` class="${size}"`}>${escapeText(text)}</dd></div>`;
}

/** Figures with a name of several words, a route or a counter, are one of many: rows, not cards. */
function namedTable(named: [string, number | string | boolean | null][]): string {
  if (named.length === 0) return '';
  const rows = named.map(
    ([name, value]) =>
      `<tr><td>${escapeText(name)}</td><td class="number">${escapeText(figure(name, value))}</td></tr>`,
  );
  return `<details><summary>${named.length} figures, one by one</summary><div class="wide"><table><tbody>${rows.join('')}</tbody></table></div></details>`;
}

function boxTable(boxes: ScenarioResult['boxes']): string {
  const rows = Object.entries(boxes).map(
    ([name, box]) =>
      `<tr${box.oomKills > 0 ? ' class="bad"' : ''}><td>${escapeText(name)}</td><td>${gauge(box)}</td><td class="number">${megabytes(box.neededPeakBytes)} of ${megabytes(box.limitBytes)}</td><td class="number">${megabytes(box.peakBytes)}</td><td class="number">${number(box.cpuSeconds)} s</td><td class="number">${number(box.throttledSeconds)} s</td><td class="number">${box.oomKills}</td></tr>`,
  );
  if (rows.length === 0) return '';
  return `<div class="wide"><table><thead><tr><th>box</th><th></th><th class="number">most needed</th><th class="number">with page cache</th><th class="number">CPU</th><th class="number">held back</th><th class="number">OOM kills</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function routeTable({ loads = {} }: ScenarioResult): string {
  const several = Object.keys(loads).length > 1;
  const rows = Object.entries(loads).flatMap(([load, { byRoute }]) =>
    Object.entries(byRoute).map(
      ([route, { count, p50Ms, p99Ms, maxMs }]) =>
        `<tr>${several ? `<td>${escapeText(load)}</td>` : ''}<td>${escapeText(route)}</td><td class="number">${count.toLocaleString('en')}</td><td class="number">${milliseconds(p50Ms)}</td><td class="number">${milliseconds(p99Ms)}</td><td class="number">${milliseconds(maxMs)}</td></tr>`,
    ),
  );
  if (rows.length === 0) return '';
  const kinds = new Set(Object.values(loads).flatMap(({ byRoute }) => Object.keys(byRoute))).size;
  return `<details><summary>Latency of ${kinds} kinds of request</summary><div class="wide"><table><thead><tr>${several ? '<th>load</th>' : ''}<th>request</th><th class="number">answers</th><th class="number">p50</th><th class="number">p99</th><th class="number">slowest</th></tr></thead><tbody>${rows.join('')}</tbody></table></div></details>`;
}

function historySection(history: readonly HistoryEntry[]): string {
  const plots = historyPlots(history);
  if (plots.length === 0) return '';
  return `<section><h2>Run after run</h2><div class="plots">${plots.join('\n')}</div></section>`;
}

function footer({ machine, versions, calibration, seed, commit }: RunResult): string {
  const facts = {
    commit,
    ...machine,
    ...versions,
    'generator against a null server': `${number(calibration.nullServerPerSecond)}/s at ${number(calibration.elu * 100)} % of its time`,
    'scale of the seed': seed.scale,
  };
  const rows = Object.entries(facts).map(
    ([name, value]) => `<div><dt>${escapeText(name)}</dt><dd class="words">${escapeText(String(value))}</dd></div>`,
  );
  return `<section><h2>To do it again</h2><dl class="facts">${rows.join('')}</dl></section>`;
}

function gauge(box: BoxFigures): string {
  const level = share(box) >= 0.9 ? 'full' : share(box) >= 0.75 ? 'tight' : 'fine';
  return `<span class="gauge"><i class="${level}" style="width:${(100 * Math.min(1, share(box))).toFixed(1)}%"></i></span>`;
}

/** The page cache fills any box, and the kernel gives it back when it is asked to. */
const share = ({ neededPeakBytes, limitBytes }: BoxFigures) => (limitBytes > 0 ? neededPeakBytes / limitBytes : 0);
const slug = (outcome: string) => outcome.replace(' ', '-');
