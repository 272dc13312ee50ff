import { get, post, putFile } from '/assets/api.js';
import { el, put } from '/assets/el.js';
import { count, formatNumber } from '/assets/format.js';
import { announce, notice, table } from '/assets/parts.js';
import { poll } from '/assets/poll.js';
import { delimiterText, encodingText, importPreview } from './import-preview.js';

/** @typedef {Answer<'/api/v1/imports/{id}', 'get'>} Import */

const LOAD_EVERY_MS = 500;
const SAMPLE = [
  'name,email,team',
  'Ada Lovelace,ada@example.com,Engines',
  'Grace Hopper,grace@example.com,Compilers',
  'Lynn Conway,lynn@example.com,Chips',
  '',
].join('\n');

/** Choose or drop a CSV file, see how it is read, watch it being imported, read the report. `imported()` is called after a success. */
export function importPanel(signal, imported) {
  const report = el('div', { 'aria-live': 'polite' });
  const begin = (file) => file && preview(file, report, { signal, imported });
  const input = el('input', { id: 'file', type: 'file', accept: '.csv,text/csv,text/plain' });
  input.addEventListener('change', () => {
    begin(input.files[0]);
    input.value = ''; // so that the same file, once corrected, can be chosen again
  });
  const zone = el(
    'div',
    { class: 'drop' },
    el('p', null, el('label', { for: 'file', class: 'button' }, 'Choose a CSV file'), input, ' or drop it here'),
    el('small', { class: 'soft' }, 'Columns: name, email, team. The first line names them; comma, semicolon or tab. '),
    sampleLink(signal),
  );
  acceptDrops(zone, begin);
  return el(
    'section',
    { class: 'card', 'aria-label': 'Import employees' },
    el('h2', null, 'Import employees'),
    zone,
    report,
  );
}

async function preview(file, report, { signal, imported }) {
  put(report, el('p', { class: 'soft' }, `Reading ${file.name}…`));
  const start = async (choices) => (await importFile(file, choices, report, signal)) && imported();
  try {
    put(report, await importPreview(file, { signal, start, cancel: () => put(report) }));
  } catch (error) {
    if (error.name !== 'AbortError') put(report, notice(error), importHint(error));
  }
}

async function importFile(file, choices, report, signal) {
  const uploaded = new AbortController();
  const watching = AbortSignal.any([signal, uploaded.signal]);
  try {
    put(report, el('p', { class: 'soft' }, `Reading ${file.name}…`), el('progress', { 'aria-label': 'Import' }));
    const { id } = await post('/api/v1/imports', { fileName: file.name }, signal);
    poll(async () => showProgress(report, await get(`/api/v1/imports/${id}`, null, watching)), LOAD_EVERY_MS, watching);
    const done = await putFile(`/api/v1/imports/${id}/file`, choices, file, signal);
    uploaded.abort();
    put(report, importReport(done));
    return done.status === 'done';
  } catch (error) {
    uploaded.abort();
    if (error.name !== 'AbortError') put(report, notice(error), importHint(error));
    return false;
  }
}

/** @param {Element} report
 * @param {Import} found */
function showProgress(report, found) {
  if (found.status !== 'running') return;
  put(
    report,
    el('p', { class: 'soft' }, `${count(found.rowsRead, 'row')} read, ${formatNumber(found.rowsAdded)} added…`),
    el('progress', { 'aria-label': 'Import' }),
  );
}

/** @param {Import} done */
function importReport(done) {
  if (done.status === 'failed') return [notice(done.error ?? 'The file could not be imported.'), importHint()];
  const parts = [
    `${formatNumber(done.rowsAdded)} added`,
    `${formatNumber(done.rowsUpdated)} updated`,
    `${formatNumber(done.rowsUnchanged)} unchanged`,
    `${formatNumber(done.rowsRejected)} rejected`,
  ];
  announce(`Import finished: ${parts.join(', ')}.`);
  return [
    el(
      'div',
      { class: 'notice good' },
      el('strong', null, `${count(done.rowsRead, 'row')} read: `),
      parts.join(', '),
      '.',
    ),
    done.reading && el('p', { class: 'soft' }, readingText(done.reading)),
    done.rejections.length > 0 && [
      el('h3', null, 'Rejected rows'),
      done.rowsRejected > done.rejections.length &&
        el('p', { class: 'soft' }, `The first ${done.rejections.length} of them:`),
      table(
        'Rejected rows',
        ['Line', 'Reason'],
        done.rejections.map((one) => [formatNumber(one.line), one.reason]),
      ),
    ],
  ];
}

/** @param {Import['reading']} reading */
function readingText({ encoding, delimiter, columns }) {
  const title = (one) => (one.title === null ? `column ${one.column}` : `“${one.title}”`);
  const names = columns.name.map(title).join(' and ');
  const team = columns.team === null ? 'no column' : title(columns.team);
  return `Read as ${encodingText(encoding)}, separated by ${delimiterText(delimiter)}; name from ${names}, email from ${title(columns.email)}, team from ${team}.`;
}

function importHint(error) {
  if (error?.status === 0) return null;
  return el(
    'p',
    { class: 'soft' },
    'Expected: a text file whose first line is "name,email,team". Spreadsheet programs can save as CSV.',
  );
}

function sampleLink(signal) {
  const href = URL.createObjectURL(new Blob([SAMPLE], { type: 'text/csv' }));
  signal.addEventListener('abort', () => URL.revokeObjectURL(href), { once: true });
  return el('a', { href, download: 'employees.csv' }, 'Download a sample');
}

function acceptDrops(zone, begin) {
  const over = (event) => {
    event.preventDefault();
    zone.classList.toggle('over', event.type === 'dragover');
  };
  zone.addEventListener('dragover', over);
  zone.addEventListener('dragleave', over);
  zone.addEventListener('drop', (event) => {
    over(event);
    begin(event.dataTransfer.files[0]);
  });
}
