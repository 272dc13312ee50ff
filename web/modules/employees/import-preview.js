import { postFile } from '/assets/api.js';
import { el, put } from '/assets/el.js';
import { count, formatNumber } from '/assets/format.js';
import { announce, field, notice, run } from '/assets/parts.js';

/** @typedef {Answer<'/api/v1/imports/preview', 'post'>} Preview */

const BEGINNING_BYTES = 64 * 1024; // what the server looks at
const ENCODINGS = {
  'utf-8': 'Unicode (UTF-8)',
  'utf-16le': 'Unicode (UTF-16)',
  'utf-16be': 'Unicode (UTF-16, big-endian)',
  'windows-1252': 'Western European (windows-1252)',
  'iso-8859-15': 'Western European (ISO 8859-15)',
  macintosh: 'Western European (Mac)',
  'windows-1250': 'Central European (windows-1250)',
  'iso-8859-2': 'Central European (ISO 8859-2)',
  'windows-1257': 'Baltic (windows-1257)',
  'windows-1254': 'Turkish (windows-1254)',
  'windows-1253': 'Greek (windows-1253)',
  'windows-1251': 'Cyrillic (windows-1251)',
  'koi8-r': 'Cyrillic (KOI8-R)',
  'koi8-u': 'Cyrillic (KOI8-U)',
  ibm866: 'Cyrillic (DOS)',
  'x-mac-cyrillic': 'Cyrillic (Mac)',
  'windows-1255': 'Hebrew (windows-1255)',
  'windows-1256': 'Arabic (windows-1256)',
  'windows-874': 'Thai (windows-874)',
  'windows-1258': 'Vietnamese (windows-1258)',
  shift_jis: 'Japanese (Shift JIS)',
  'euc-jp': 'Japanese (EUC-JP)',
  'iso-2022-jp': 'Japanese (ISO 2022-JP)',
  gb18030: 'Chinese, simplified (GB 18030)',
  big5: 'Chinese, traditional (Big5)',
  'euc-kr': 'Korean (EUC-KR)',
};
const DELIMITERS = [
  [',', 'Commas'],
  [';', 'Semicolons'],
  ['tab', 'Tabs'],
  ['|', 'Vertical bars'],
];
const ROLES = [
  ['', 'Not read'],
  ['name', 'Name'],
  ['name 2', 'Name, second part'],
  ['name 3', 'Name, third part'],
  ['name 4', 'Name, fourth part'],
  ['email', 'Email'],
  ['team', 'Team'],
];
const NAME_PARTS = ROLES.map(([role]) => role).filter((role) => role.startsWith('name'));

export const encodingText = (encoding) => ENCODINGS[encoding] ?? encoding;
export const delimiterText = (delimiter) =>
  DELIMITERS.find(([value]) => value === nameOf(delimiter))?.[1].toLowerCase() ?? `“${delimiter}”`;

/**
 * Shows how the beginning of `file` is read, with everything that can be chosen otherwise. `start(choices)` imports the
 * file as it is shown; `cancel()` leaves.
 */
export async function importPreview(file, { signal, start, cancel }) {
  const box = el('div', { class: 'preview' });
  const show = async (choices) => {
    const found = await postFile('/api/v1/imports/preview', choices, file.slice(0, BEGINNING_BYTES), signal);
    const fault = el('div');
    const choose = (changed) => show({ ...choices, ...changed }).catch((error) => put(fault, notice(error)));
    put(box, previewOf(file, found, choices, choose), fault, actions(found, choices, start, cancel));
    const verdict = found.problem ?? `${count(found.rowsRead - found.rowsRejected, 'row')} can be imported`;
    announce(`Preview: ${encodingText(found.encoding)}. ${verdict}`);
  };
  await show({});
  return box;
}

/** @param {File} file
 * @param {Preview} found */
function previewOf(file, found, choices, choose) {
  return [
    el('h3', null, `How ${file.name} is read`),
    !found.encodingSure &&
      notice('The encoding of this file is a guess. Are the names below right? If not, choose another one.', 'info'),
    doubtful(found),
    found.problem && notice(found.problem, 'info'),
    el(
      'div',
      { class: 'filters' },
      field('Encoding', encodingSelect(found, choose)),
      field('Columns are separated by', delimiterSelect(found, choose)),
      field('First line', headerSelect(found, choices, choose)),
    ),
    el('div', { class: 'sheet', tabindex: '0', role: 'region', 'aria-label': 'First rows' }, sheet(found, choose)),
    el('p', { class: 'soft' }, summary(file, found)),
  ];
}

/**
 * What the table below does not reach.
 * @param {Preview} found
 */
function doubtful({ doubtfulLines, headerLine, rows }) {
  const shown = new Set([headerLine, ...rows.map(({ line }) => line)]);
  const lines = doubtfulLines.filter(({ line }) => !shown.has(line));
  if (lines.length === 0) return null;
  const items = lines.map(({ line, text }) => el('li', null, `Line ${formatNumber(line)}: “${text}”`));
  return [el('p', null, 'Further down there is:'), el('ul', null, items)];
}

/** @param {Preview} found */
function encodingSelect(found, choose) {
  const select = el(
    'select',
    { id: 'encoding', onchange: () => choose({ encoding: select.value }) },
    found.encodings.map((one) => option(one, encodingText(one), one === found.encoding)),
  );
  return select;
}

// Other columns than before: what was chosen about them no longer holds.
const FORGET_COLUMNS = { name: null, email: null, team: null };

/** @param {Preview} found */
function delimiterSelect(found, choose) {
  const known = DELIMITERS.some(([value]) => value === nameOf(found.delimiter));
  const all = known ? DELIMITERS : [...DELIMITERS, [found.delimiter, `“${found.delimiter}”`]];
  const select = el(
    'select',
    { id: 'delimiter', onchange: () => choose({ delimiter: select.value, ...FORGET_COLUMNS }) },
    all.map(([value, text]) => option(value, text, value === nameOf(found.delimiter))),
  );
  return select;
}

/** @param {Preview} found */
function headerSelect(found, choices, choose) {
  const titled = found.headerLine === null ? 'true' : '';
  const select = el(
    'select',
    { id: 'header', onchange: () => choose({ header: select.value === '' ? null : select.value, ...FORGET_COLUMNS }) },
    option(choices.header === 'true' ? 'true' : titled, 'Names the columns', found.headerLine !== null),
    option('false', 'Is an employee', found.headerLine === null),
  );
  return select;
}

/**
 * The first rows under what each column becomes, each with what becomes of it.
 * @param {Preview} found
 */
function sheet(found, choose) {
  const roles = rolesOf(found.columns);
  const selects = found.titles.map((title, index) => {
    const select = el(
      'select',
      {
        'aria-label': `Column ${index + 1}${title && `, ${title}`}`,
        class: roles[index + 1] ? 'read' : null,
        onchange: () => choose(choicesOf({ ...withoutRole(roles, select.value), [index + 1]: select.value })),
      },
      ROLES.map(([value, text]) => option(value, text, value === (roles[index + 1] ?? ''))),
    );
    return el('th', { scope: 'col' }, select, el('span', null, title || `Column ${index + 1}`));
  });
  const rows = found.rows.map(({ line, cells, employee, rejected }) =>
    el(
      'tr',
      { class: rejected && 'rejected' },
      el('th', { scope: 'row' }, formatNumber(line)),
      el('td', { class: 'outcome' }, outcome(employee, rejected)),
      cells.map((cell, index) => el('td', { class: roles[index + 1] ? 'read' : null }, cell)),
    ),
  );
  return el(
    'table',
    null,
    el('caption', { class: 'hidden' }, 'First rows of the file'),
    el(
      'thead',
      null,
      el('tr', null, el('th', { scope: 'col' }, 'Line'), el('th', { scope: 'col' }, 'Becomes'), selects),
    ),
    el('tbody', null, rows),
  );
}

/** @param {Preview['rows'][number]['employee']} employee
 * @param {string | null} rejected */
function outcome(employee, rejected) {
  if (rejected !== null) return [el('span', { class: 'status bad' }, 'rejected'), ' ', rejected];
  return employee === null ? '–' : [el('strong', null, employee.name), ` in ${employee.team}`];
}

/** @param {Preview['columns']} columns */
function rolesOf({ name, email, team }) {
  const roles = {};
  if (team !== null) roles[team] = 'team';
  for (const [part, column] of name.entries()) roles[column] = NAME_PARTS[part];
  if (email !== null) roles[email] = 'email';
  return roles;
}

const withoutRole = (roles, role) => Object.fromEntries(Object.entries(roles).filter(([, one]) => one !== role));

function choicesOf(roles) {
  const column = (role) => Object.keys(roles).find((one) => roles[one] === role);
  const names = NAME_PARTS.map(column).filter(Boolean);
  return { name: names.join(','), email: column('email') ?? null, team: column('team') ?? '0' };
}

/** @param {File} file
 * @param {Preview} found */
function summary(file, { rowsRead, rowsRejected }) {
  const part = file.size > BEGINNING_BYTES ? 'The beginning of the file has' : 'The file has';
  const shown = `${part} ${count(rowsRead, 'row')}: ${formatNumber(rowsRead - rowsRejected)} can be imported`;
  return `${shown}, ${formatNumber(rowsRejected)} would be rejected. Nothing has been written yet.`;
}

/** @param {Preview} found */
function actions(found, choices, start, cancel) {
  const fault = el('div');
  // What is shown is what is imported: a guess becomes a choice.
  const encoding = found.encodingSure ? choices.encoding : found.encoding;
  const go = el(
    'button',
    {
      type: 'button',
      class: 'primary',
      disabled: found.problem !== null,
      onclick: () => run(go, fault, () => start({ ...choices, encoding })),
    },
    'Import',
  );
  return [fault, el('div', { class: 'actions' }, go, el('button', { type: 'button', onclick: cancel }, 'Cancel'))];
}

const option = (value, text, selected) => el('option', { value, selected }, text);
const nameOf = (delimiter) => (delimiter === '\t' ? 'tab' : delimiter);
