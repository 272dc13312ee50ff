import { post } from '/assets/api.js';
import { el, put } from '/assets/el.js';
import { formatTime } from '/assets/format.js';
import { field, openDialog, run, segments } from '/assets/parts.js';

const PRESETS = [
  ['0 9 * * 1', 'Every Monday at 9:00'],
  ['0 9 * * 1-5', 'Every weekday at 9:00'],
  ['0 9 * * *', 'Every day at 9:00'],
  ['0 9 1 * *', 'On the first of each month at 9:00'],
  ['', 'Custom (cron)…'],
];
const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** "every Monday at 9:00 (Europe/Berlin)", "21 Nov 2026, 09:00", or null when nothing is scheduled. */
export function scheduleText({ status, cron, launchAt, timeZone }) {
  if (status !== 'scheduled') return null;
  if (cron === null) return formatTime(launchAt);
  const preset = PRESETS.find(([expression]) => expression === cron);
  return `${preset ? preset[1] : cron} (${timeZone})`;
}

/** `scheduled(campaign)` is called after success. */
export function scheduleDialog(campaign, scheduled) {
  openDialog('Schedule this campaign', (close) => {
    const fields = el('div');
    const fault = el('div');
    const save = el('button', { class: 'primary' }, 'Schedule');
    let read;
    const choose = (build) => {
      const built = build();
      read = built.read;
      put(fields, built.nodes);
    };
    const submit = (event) => {
      event.preventDefault();
      run(save, fault, async () => {
        const changed = await post(`/api/campaigns/${campaign.id}/schedule`, read());
        close();
        scheduled(changed);
      });
    };
    choose(onceFields);
    return el(
      'form',
      { onsubmit: submit },
      segments('How often', [
        ['Once', true, () => choose(onceFields)],
        ['Repeating', false, () => choose(repeatingFields)],
      ]),
      fields,
      fault,
      el('div', { class: 'actions' }, save, el('button', { type: 'button', onclick: close }, 'Cancel')),
    );
  });
}

function onceFields() {
  const soon = new Date(Date.now() + 3_600_000);
  const local = new Date(soon.getTime() - soon.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const at = el('input', { id: 'at', type: 'datetime-local', required: true, value: local });
  return {
    nodes: field('Send at', at, `In your time zone, ${HERE}.`),
    read: () => ({ at: new Date(at.value).toISOString() }),
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
