import { formatNumber, midnightUtc } from '/assets/format.js';
import { figure } from '/assets/parts.js';
import { moodPanel } from './mood-panel.js';
import { formatMood, moodWord } from './mood-words.js';

export const styles = ['/modules/mood/mood.css'];

export const home = {
  figures: ({ moodToday, moodWeekAgo, answersToday }) => [
    figure('Mood today', formatMood(moodToday), trend(moodToday, moodWeekAgo)),
    figure('Answers today', formatNumber(answersToday), `since ${midnightUtc()}`),
  ],
  panels: ({ signal }) => moodPanel(signal),
};

function trend(today, weekAgo) {
  if (today === null || weekAgo === null) return moodWord(today);
  return `${moodWord(today)}, ${formatMood(today - weekAgo)} since last week`;
}
