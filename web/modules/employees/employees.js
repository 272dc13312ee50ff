import { get } from '/assets/api.js';
import { calm } from '/assets/calm.js';
import { el, put } from '/assets/el.js';
import { formatTime } from '/assets/format.js';
import { pagedTable } from '/assets/pages.js';
import { field, heading, slot } from '/assets/parts.js';
import { dataDialog } from './data-dialog.js';
import { importPanel } from './import-panel.js';

/** @typedef {Item<'/api/v1/employees'>} Employee */

export function employeesView({ session, signal }) {
  const search = el('input', {
    id: 'search',
    type: 'search',
    placeholder: 'Name or email…',
    autocomplete: 'off',
  });
  const team = el('select', { id: 'team' }, el('option', { value: '' }, 'All teams'));
  const list = pagedTable({
    caption: 'Employees',
    columns: ['Name', 'Email', 'Team', 'Since', ...(session.mayWrite ? [''] : [])],
    fetchPage: (cursor) =>
      get('/api/v1/employees', { limit: 50, cursor, search: search.value.trim(), teamId: team.value }, signal),
    row: (employee) => [
      ...employeeRow(employee),
      ...(session.mayWrite ? [dataButton(employee, () => list.restart())] : []),
    ],
    empty: 'Nobody found. Try a shorter search, or import a file.',
  });
  search.addEventListener('input', calm(list.restart));
  team.addEventListener('change', list.restart);
  const fillTeams = ({ items }) =>
    void team.append(...items.map((one) => el('option', { value: one.id }, `${one.name} (${one.employees})`)));
  const teams = slot(() => get('/api/v1/teams', null, signal), fillTeams);
  const panel = el('div', { hidden: true });
  const toggle = el(
    'button',
    { type: 'button', class: 'primary', 'aria-expanded': 'false', onclick: () => flip() },
    'Import from CSV',
  );
  const flip = () => {
    panel.hidden = !panel.hidden;
    toggle.setAttribute('aria-expanded', String(!panel.hidden));
    if (!panel.hidden) put(panel, importPanel(signal, list.restart));
  };
  return [
    heading('Employees', session.mayWrite && toggle),
    panel,
    el('div', { class: 'filters', role: 'search' }, field('Search', search), field('Team', team), teams),
    list.node,
  ];
}

/** @param {Employee} employee */
function dataButton(employee, erased) {
  const open = () => dataDialog(employee, erased);
  return el(
    'button',
    { type: 'button', class: 'quiet', 'aria-label': `Data of ${employee.name}`, onclick: open },
    'Data…',
  );
}

/** @param {Employee} employee */
function employeeRow(employee) {
  const off =
    employee.unsubscribedAt &&
    el('span', { class: 'status skipped', title: formatTime(employee.unsubscribedAt) }, 'unsubscribed');
  return [[employee.name, ' ', off], employee.email, employee.team?.name ?? '–', formatTime(employee.createdAt)];
}
