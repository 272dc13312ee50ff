// A mood is a number from -1 (very low) to 1 (very good), or null where nobody can be read from it.

import { el } from '/assets/el.js';

const WORDS = ['very low', 'low', 'slightly low', 'neutral', 'fairly good', 'good', 'very good'];
const signed = new Intl.NumberFormat(undefined, {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
  signDisplay: 'exceptZero',
});

export const formatMood = (mood) => (mood === null || mood === undefined ? '–' : signed.format(mood));

/** 1 (very low) … 7 (very good), the steps of the colour scale. */
export const moodStep = (mood) => Math.min(7, Math.max(1, Math.round(mood * 3) + 4));
export const moodWord = (mood) => (mood === null || mood === undefined ? 'no mood yet' : WORDS[moodStep(mood) - 1]);

/** The mood as a coloured dot with its number and word. */
export function moodMark(mood) {
  if (mood === null || mood === undefined) return el('span', { class: 'soft' }, '–');
  const dot = el('span', { class: `dot mood-${moodStep(mood)}`, 'aria-hidden': 'true' });
  return el('span', { class: 'mood' }, dot, `${formatMood(mood)} `, el('span', { class: 'soft' }, moodWord(mood)));
}
