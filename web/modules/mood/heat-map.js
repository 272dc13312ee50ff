import { el, put } from '/assets/el.js';
import { formatDay, formatNumber } from '/assets/format.js';
import { scoredOf } from './chart.js';
import { formatMood, moodStep } from './mood-words.js';

/** @typedef {Answer<'/api/v1/mood', 'get'>} Mood */

const TEAMS_SHOWN_FIRST = 25;

/**
 * Team × day as a real table: the colour repeats what the number says.
 * @param {Mood} mood
 */
export function heatMap({ from, to, groupMin, teams }) {
  const days = daysBetween(from, to);
  const body = el('tbody');
  const fill = (shown) =>
    put(
      body,
      shown.map((team) => teamRow(team, days, groupMin)),
    );
  fill(teams.slice(0, TEAMS_SHOWN_FIRST));
  const region = el(
    'div',
    { class: 'heat', role: 'region', 'aria-label': 'Mood by team and day', tabindex: '0' },
    el(
      'table',
      null,
      el('caption', { class: 'hidden' }, 'Mood by team and day, from -1 (very low) to +1 (very good)'),
      el(
        'thead',
        null,
        el(
          'tr',
          null,
          el('th', { scope: 'col' }, 'Team'),
          days.map((day) => el('th', { scope: 'col' }, formatDay(day))),
        ),
      ),
      body,
    ),
  );
  // The newest day matters most; on a narrow screen it would be out of sight.
  requestAnimationFrame(() => {
    region.scrollLeft = region.scrollWidth;
  });
  return [region, legend(), teams.length > TEAMS_SHOWN_FIRST && showAll(teams.length, () => fill(teams))];
}

/** @param {Mood['teams'][number]} team */
function teamRow(team, days, groupMin) {
  const known = new Map(team.days.map((one) => [one.day, one]));
  return el(
    'tr',
    null,
    el('th', { scope: 'row' }, team.name),
    days.map((day) => cell(known.get(day), groupMin)),
  );
}

function cell(one, groupMin) {
  if (!one || one.mood === null) {
    const why = `Fewer than ${formatNumber(groupMin)} scored answers`;
    return el(
      'td',
      { class: 'none', title: why },
      el('span', { 'aria-hidden': 'true' }, '·'),
      el('span', { class: 'hidden' }, why),
    );
  }
  return el('td', { class: `mood-${moodStep(one.mood)}`, title: `${scoredOf(one)} answers` }, formatMood(one.mood));
}

function legend() {
  const steps = [1, 2, 3, 4, 5, 6, 7].map((step) => el('span', { class: `mood-${step}` }));
  return el(
    'p',
    { class: 'legend soft', 'aria-hidden': 'true' },
    'very low',
    el('span', { class: 'scale' }, steps),
    'very good',
  );
}

function showAll(total, show) {
  const all = () => {
    show();
    button.remove();
  };
  const button = el('button', { type: 'button', onclick: all }, `Show all ${formatNumber(total)} teams`);
  return button;
}

function daysBetween(from, to) {
  const days = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += 86_400_000)
    days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}
