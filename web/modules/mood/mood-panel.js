import { get } from '/assets/api.js';
import { el, put } from '/assets/el.js';
import { count, dayAgo, midnightUtc } from '/assets/format.js';
import { segments, slot } from '/assets/parts.js';
import { moodChart } from './chart.js';
import { heatMap } from './heat-map.js';

const RANGES_DAYS = [7, 28, 90];
const RANGE_DEFAULT_DAYS = 28;
const COUNTED = 'Answers on the scale count in every language, answers in words only when they are in English.';

/** The chart of the organisation and the heat map of its teams, over as many days as are chosen. */
export function moodPanel(signal) {
  const mood = el('div');
  const pick = (days) => {
    const range = { from: dayAgo(days - 1), to: dayAgo(0) };
    put(
      mood,
      slot(() => get('/api/v1/mood', range, signal), charts),
    );
  };
  const picker = segments(
    'Days to show',
    RANGES_DAYS.map((days) => [`${days} days`, days === RANGE_DEFAULT_DAYS, () => pick(days)]),
  );
  pick(RANGE_DEFAULT_DAYS);
  return [el('div', { class: 'heading' }, el('h2', null, 'Mood'), el('div', { class: 'actions' }, picker)), mood];
}

/** @param {Answer<'/api/v1/mood', 'get'>} mood */
function charts(mood) {
  if (mood.organisation.length === 0) {
    const text = `No day in this period has ${count(mood.groupMin, 'scored answer')} yet. ${COUNTED} Days are in UTC.`;
    return el('p', { class: 'empty' }, text);
  }
  const days = `Days are counted in UTC: one begins at ${midnightUtc()}.`;
  const note = `A team's day is shown from ${count(mood.groupMin, 'scored answer')} up, so that nobody can be singled out.`;
  return [
    el(
      'section',
      { class: 'card' },
      el('h3', null, 'The organisation by day'),
      el('p', { class: 'soft' }, days),
      el('p', { class: 'soft' }, COUNTED),
      moodChart(mood.organisation, mood.from, mood.to),
    ),
    el('section', { class: 'card' }, el('h3', null, 'Teams by day'), el('p', { class: 'soft' }, note), heatMap(mood)),
  ];
}
