import { get, queryString } from '../../api.js';
import { el } from '../../el.js';
import { formatTime, HERE } from '../../format.js';
import { pagedTable } from '../../pages.js';
import { field } from '../../parts.js';
import { settingsHeading } from './tabs.js';

export async function auditLogView({ session, signal }) {
  const { actions } = await get('/api/v1/audit-log/actions', {}, signal);
  const says = new Map(actions.map((one) => [one.action, one.says]));
  const day = (id) => el('input', { id, type: 'date', 'aria-describedby': 'zone' });
  const action = el(
    'select',
    { id: 'action' },
    el('option', { value: '' }, 'All'),
    actions.map((one) => el('option', { value: one.action }, one.says)),
  );
  const [from, to] = [day('from'), day('to')];
  let actor = null;
  const query = () => ({
    ...{ action: action.value, from: from.value, to: to.value, actorId: actor?.id },
    timeZone: from.value || to.value ? HERE : '',
  });
  const list = pagedTable({
    caption: 'Audit log',
    columns: ['Time', 'Person', 'Action', 'Subject', 'Network'],
    fetchPage: (cursor) => get('/api/v1/audit-log', { limit: 50, cursor, ...query() }, signal),
    row: (entry) => entryRow(entry, says, choose),
    empty: 'No matching entries.',
  });
  const everybody = el('button', { type: 'button', hidden: true, onclick: () => choose(null) });
  const download = el('a', { class: 'button', download: true }, 'Export as CSV');
  const exported = () => `/api/v1/exports/audit-log.csv${queryString(query())}`;
  const show = () => {
    download.setAttribute('href', exported());
    everybody.hidden = actor === null;
    everybody.textContent = `Only ${actor?.name} ×`;
    list.restart();
  };
  function choose(chosen) {
    actor = chosen;
    show();
  }
  for (const control of [action, from, to]) control.addEventListener('change', show);
  download.setAttribute('href', exported());
  return [
    settingsHeading('Audit log', session, download),
    el(
      'div',
      { class: 'filters', role: 'search' },
      field('Action', action),
      field('From', from),
      field('To', to),
      everybody,
    ),
    el('p', { class: 'soft', id: 'zone' }, `Days and times are in ${HERE}.`),
    list.node,
  ];
}

/** @param {Item<'/api/v1/audit-log'>} entry */
function entryRow(entry, says, choose) {
  const { actorId, actor } = entry;
  const who = actorId
    ? el(
        'button',
        { type: 'button', class: 'link', onclick: () => choose({ id: actorId, name: actor }) },
        actor ?? `no. ${actorId}`,
      )
    : (actor ?? '–');
  const key = entry.apiKey && el('span', { class: 'soft' }, ` with ${entry.apiKey}…`);
  const details = Object.entries(entry.details).map(([name, value]) => `${name}: ${value}`);
  return [
    formatTime(entry.at),
    [who, key],
    // A module that was removed leaves entries behind, whose words went with it.
    says.get(entry.action) ?? el('code', null, entry.action),
    [entry.subject ?? '', details.length > 0 && el('span', { class: 'soft' }, ` ${details.join(', ')}`)],
    entry.network ?? '–',
  ];
}
