// The mood over days as a line chart. Colours and strokes come from the style sheet.

import { el, svg } from '/assets/el.js';
import { formatDay, formatNumber } from '/assets/format.js';
import { table } from '/assets/parts.js';
import { linePath } from '/assets/sparkline.js';
import { formatMood } from './mood-words.js';

/** @typedef {Answer<'/api/v1/mood', 'get'>['organisation'][number]} Day */

const WIDTH = window.matchMedia('(max-width: 40rem)').matches ? 340 : 720; // text keeps its size on a phone
const HEIGHT = 200;
const LEFT = 34;
const BOTTOM = 24;
const TOP = 8;

/**
 * Mood (-1..1) over days. A day without a mood breaks the line: nothing is made up.
 * @param {Day[]} days
 */
export function moodChart(days, from, to) {
  const first = Date.parse(from);
  const span = Math.max(Date.parse(to) - first, 86_400_000);
  const x = (day) => LEFT + ((Date.parse(day) - first) / span) * (WIDTH - LEFT - 10);
  const y = (mood) => TOP + ((1 - mood) / 2) * (HEIGHT - TOP - BOTTOM);
  const known = days.filter((one) => one.mood !== null);
  const summary = `Mood of the organisation by day, ${formatDay(from)} to ${formatDay(to)}. The table below has the numbers.`;
  const drawing = svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'chart', role: 'img', 'aria-label': summary },
    [1, 0.5, 0, -0.5, -1].map((mood) => gridLine(mood, y(mood))),
    dayLabels(first, span).map(([day, anchor]) =>
      svg('text', { x: x(day), y: HEIGHT - 6, 'text-anchor': anchor }, formatDay(day)),
    ),
    runs(known).map((run) => svg('path', { class: 'line', d: linePath(run.map((one) => [x(one.day), y(one.mood)])) })),
    known.map((one) =>
      svg(
        'circle',
        { cx: x(one.day), cy: y(one.mood), r: known.length > 40 ? 2 : 3.5 },
        svg('title', null, `${formatDay(one.day)}: ${formatMood(one.mood)} from ${scoredOf(one)} answers`),
      ),
    ),
  );
  const rows = known.map((one) => [formatDay(one.day), formatMood(one.mood), scoredOf(one)]);
  const numbers = el(
    'details',
    null,
    el('summary', null, 'Show as a table'),
    table(summary, ['Day', 'Mood', 'Answers'], rows),
  );
  return el('div', null, drawing, numbers);
}

/**
 * The mood is the mean of the scored answers only, so where there are others it says so.
 * @param {Pick<Day, 'answers' | 'scored'>} day
 */
export function scoredOf({ answers, scored }) {
  return scored === answers ? formatNumber(answers) : `${formatNumber(scored)} of ${formatNumber(answers)}`;
}

function gridLine(mood, y) {
  return svg(
    'g',
    { class: mood === 0 ? 'grid zero' : 'grid' },
    svg('line', { x1: LEFT, x2: WIDTH, y1: y, y2: y }),
    svg('text', { x: LEFT - 6, y: y + 4, 'text-anchor': 'end' }, formatMood(mood)),
  );
}

function dayLabels(first, span) {
  const label = (share, anchor) => [new Date(first + span * share).toISOString().slice(0, 10), anchor];
  const between = WIDTH > 500 ? [0.25, 0.5, 0.75] : [0.5];
  return [label(0, 'start'), ...between.map((share) => label(share, 'middle')), label(1, 'end')];
}

// Days in a row; a longer gap than a weekend starts a new run.
/** @param {Day[]} days */
function runs(days) {
  const found = [];
  for (const one of days) {
    const last = found.at(-1)?.at(-1);
    if (last && Date.parse(one.day) - Date.parse(last.day) <= 4 * 86_400_000) found.at(-1).push(one);
    else found.push([one]);
  }
  return found;
}
