import { actOn, get, pause, post } from '/assets/api.js';
import { el, put } from '/assets/el.js';
import { formatTime, HERE } from '/assets/format.js';
import { field, notice, openDialog, run, segments } from '/assets/parts.js';

/** @typedef {Answer<'/api/v1/campaigns/{id}', 'get'>} Campaign */

const PRESETS = [
  ['0 9 * * 1', 'Every Monday at 9:00'],
  ['0 9 * * 1-5', 'Every weekday at 9:00'],
  ['0 9 * * *', 'Every day at 9:00'],
  ['0 9 1 * *', 'On the first of each month at 9:00'],
  ['', 'Custom (cron)…'],
];
const TYPING_MS = 250; // a pause in typing; then the server is asked what the fields mean

/**
 * "every Monday at 9:00 (Europe/Berlin)", "21 Nov 2026, 09:00", or null when nothing is scheduled.
 * @param {Campaign} campaign
 */
export function scheduleText({ status, cron, launchAt, timeZone }) {
  if (status !== 'scheduled') return null;
  if (cron === null) return formatTime(launchAt);
  const preset = PRESETS.find(([expression]) => expression === cron);
  return `${preset ? preset[1] : cron} (${timeZone})`;
}

/**
 * `scheduled(campaign)` is called with what has become of it, by us or by somebody else.
 * @param {Campaign} campaign
 */
export function scheduleDialog(campaign, scheduled) {
  openDialog('Schedule this campaign', (close) => {
    const fields = el('div');
    const launches = el('div', { class: 'launches', 'aria-live': 'polite' });
    const fault = el('div');
    const save = el('button', { class: 'primary' }, 'Schedule');
    let read;
    let { version } = campaign;
    const preview = launchPreview(launches, () => read());
    const choose = (build) => {
      const built = build();
      read = built.read;
      put(fields, built.nodes);
      preview();
    };
    const submit = (event) => {
      event.preventDefault();
      run(save, fault, async () => {
        try {
          const changed = await actOn(`/api/v1/campaigns/${campaign.id}/schedule`, version, read());
          close();
          scheduled(changed);
        } catch (error) {
          if (error.code !== 'changed_meanwhile') throw error;
          const theirs = await get(`/api/v1/campaigns/${campaign.id}`);
          version = theirs.version;
          scheduled(theirs);
          put(fault, notice(changedText(theirs), 'info'));
        }
      });
    };
    choose(onceFields);
    return el(
      'form',
      { onsubmit: submit, oninput: preview, onchange: preview },
      segments('How often', [
        ['Once', true, () => choose(onceFields)],
        ['Repeating', false, () => choose(repeatingFields)],
      ]),
      fields,
      launches,
      fault,
      el('div', { class: 'actions' }, save, el('button', { type: 'button', onclick: close }, 'Cancel')),
    );
  });
}

const changedText = ({ subject }) =>
  `Somebody else has changed this campaign meanwhile: its subject is now “${subject}”. Schedule again to send it as it is now.`;

/**
 * Returns a function that shows in `box` when the schedule that `read` returns would launch, or why it cannot. The
 * server says so, because it is the one that will launch.
 */
function launchPreview(box, read) {
  let asking = new AbortController();
  return async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      await pause(TYPING_MS, signal);
      const { next, timeZone } = await post('/api/v1/campaigns/schedule-preview', read(), signal);
      put(box, launchList(next, timeZone));
    } catch (error) {
      if (error.name !== 'AbortError') put(box, notice(error));
    }
  };
}

function launchList(next, timeZone) {
  const zoned = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short', timeZone });
  const times = next.map((launch) => el('li', null, zoned.format(new Date(launch))));
  return [
    el('p', { class: 'soft' }, `${next.length === 1 ? 'It is sent' : 'The next times'}, in ${timeZone}:`),
    el('ul', null, times),
  ];
}

function onceFields() {
  const soon = new Date(Date.now() + 3_600_000);
  const local = new Date(soon.getTime() - soon.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const at = el('input', { id: 'at', type: 'datetime-local', required: true, value: local });
  return {
    nodes: field('Send at', at, `In your time zone, ${HERE}.`),
    read: () => ({ at: at.value, timeZone: HERE }),
  };
}

function repeatingFields() {
  const preset = el(
    'select',
    { id: 'preset' },
    PRESETS.map(([value, text]) => el('option', { value }, text)),
  );
  const cron = el('input', { id: 'cron', value: PRESETS[0][0], required: true, spellcheck: 'false' });
  const zones = [...new Set([HERE, 'UTC', ...Intl.supportedValuesOf('timeZone')])];
  const zone = el(
    'select',
    { id: 'zone' },
    zones.map((one) => el('option', { value: one }, one)),
  );
  const own = field('Cron expression', cron, 'minute, hour, day of month, month, day of week');
  own.hidden = true;
  preset.addEventListener('change', () => {
    own.hidden = preset.value !== '';
    if (own.hidden) cron.value = preset.value;
    else cron.focus();
  });
  return {
    nodes: [field('Repeat', preset), own, field('Time zone', zone, 'Adjusts for daylight saving time.')],
    read: () => ({ cron: cron.value.trim(), timeZone: zone.value }),
  };
}
