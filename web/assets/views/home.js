import { get, queryString } from '../api.js';
import { moodChart } from '../chart.js';
import { el, put } from '../el.js';
import { count, dayAgo, formatMood, formatNumber, moodWord } from '../format.js';
import { heading, notice, slot } from '../parts.js';
import { poll } from '../poll.js';
import { progressRow } from './campaign-progress.js';
import { heatMap } from './heat-map.js';

const RANGES = [7, 28, 90];
const SENDING_EVERY_MS = 2_000;
const IDLE_EVERY_MS = 15_000;

export function homeView({ session, signal }) {
  const mood = el('div');
  const exportLink = el('a', { class: 'button', download: true }, 'Export answers (CSV)');
  const pick = (days) => {
    const range = { from: dayAgo(days - 1), to: dayAgo(0) };
    exportLink.setAttribute('href', `/api/exports/answers.csv${queryString(range)}`);
    put(
      mood,
      slot(() => get('/api/mood', range, signal), moodPanels),
    );
  };
  const picker = rangePicker(pick);
  pick(28);
  return [
    heading(`Good to see you, ${session.user.name.split(' ')[0]}`),
    live(session, signal),
    el(
      'div',
      { class: 'heading' },
      el('h2', null, 'Mood'),
      el('div', { class: 'actions' }, picker, session.mayWrite && exportLink),
    ),
    mood,
  ];
}

// Key figures and the campaigns on their way; both move while people answer.
function live(session, signal) {
  const figures = el('div', { class: 'figures', 'aria-busy': 'true' });
  const sending = el('div');
  const fault = el('div');
  const look = async () => {
    const [summary, campaigns] = await Promise.all([
      get('/api/summary', null, signal),
      get('/api/campaigns', { limit: 20 }, signal),
    ]);
    figures.removeAttribute('aria-busy');
    put(fault);
    put(figures, keyFigures(summary));
    put(sending, sendingPanel(campaigns.items, summary, session));
    return summary.campaignsSending > 0 ? SENDING_EVERY_MS : IDLE_EVERY_MS;
  };
  poll(look, IDLE_EVERY_MS, signal, (error) => put(fault, notice(error)));
  return el('div', null, fault, figures, sending);
}

function keyFigures(summary) {
  const { moodToday, moodWeekAgo } = summary;
  const change = moodToday !== null && moodWeekAgo !== null && moodToday - moodWeekAgo;
  const trend =
    typeof change === 'number' ? `${moodWord(moodToday)}, ${formatMood(change)} in a week` : moodWord(moodToday);
  return [
    figure('Mood today', formatMood(moodToday), trend),
    figure('Answers today', formatNumber(summary.answersToday), 'each one stored at once'),
    figure('Open conversations', formatNumber(summary.openConversations), 'begun, not finished'),
    figure('Employees', formatNumber(summary.employees), `in ${count(summary.teams, 'team')}`),
  ];
}

function figure(label, value, note) {
  return el(
    'div',
    { class: 'figure card' },
    el('span', { class: 'label' }, label),
    el('strong', null, value),
    el('span', { class: 'soft' }, note),
  );
}

function sendingPanel(campaigns, summary, session) {
  const sending = campaigns.filter((campaign) => campaign.status === 'sending');
  if (sending.length > 0) {
    return el('section', { class: 'card' }, el('h2', null, 'Being sent now'), sending.map(progressRow));
  }
  if (!session.mayWrite) return null;
  if (summary.employees === 0) {
    return nextStep(
      'First, bring in your people.',
      'A CSV file with name, email and team is enough.',
      '#/employees',
      'Import employees',
    );
  }
  if (campaigns.length === 0) {
    return nextStep(
      'Ready to ask?',
      'Write a first check-in; nothing is sent before you say so.',
      '#/campaigns/new',
      'New campaign',
    );
  }
  return null;
}

function nextStep(title, text, href, action) {
  return el(
    'section',
    { class: 'card next' },
    el('img', { src: '/assets/tardigrade.svg', alt: '' }),
    el('div', null, el('h2', null, title), el('p', null, text), el('a', { class: 'button primary', href }, action)),
  );
}

function moodPanels(mood) {
  if (mood.organisation.length === 0) {
    return el('p', { class: 'empty' }, 'No answers in these days yet. The chart grows with the first check-in.');
  }
  const note = `A team's day is shown from ${count(mood.groupMin, 'answer')} up, so that no single voice can be read from it.`;
  return [
    el(
      'section',
      { class: 'card' },
      el('h3', null, 'The organisation by day'),
      moodChart(mood.organisation, mood.from, mood.to),
    ),
    el('section', { class: 'card' }, el('h3', null, 'Teams by day'), el('p', { class: 'soft' }, note), heatMap(mood)),
  ];
}

function rangePicker(pick) {
  const options = RANGES.map((days) => {
    const input = el('input', {
      type: 'radio',
      name: 'range',
      value: days,
      checked: days === 28,
      onchange: () => pick(days),
    });
    return el('label', null, input, el('span', null, `${days} days`));
  });
  return el('fieldset', { class: 'segments' }, el('legend', { class: 'hidden' }, 'Days to show'), options);
}
