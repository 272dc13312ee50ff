import { change, get, post } from '/assets/api.js';
import { editTogether, textField } from '/assets/changed-meanwhile.js';
import { el } from '/assets/el.js';
import { formatTime } from '/assets/format.js';
import { pagedTable } from '/assets/pages.js';
import { field, heading, openDialog, run, statusMark } from '/assets/parts.js';

const TITLE_CHARS_MAX = 200;
const BODY_CHARS_MAX = 10_000;

export function notesView({ session, signal }) {
  const status = el(
    'select',
    { id: 'status', onchange: () => list.restart() },
    el('option', { value: '' }, 'All'),
    el('option', { value: 'open' }, 'Open'),
    el('option', { value: 'done' }, 'Done'),
  );
  const list = pagedTable({
    caption: 'Notes',
    columns: ['Note', 'Status', 'Written', 'Changed'],
    fetchPage: (cursor) => get('/api/v1/notes', { limit: 50, cursor, status: status.value }, signal),
    row: (note) => noteRow(note, session, () => editDialog(note.id, signal, list.restart)),
    empty: 'No notes yet.',
  });
  const add = el('button', { type: 'button', class: 'primary', onclick: () => writeDialog(list.restart) }, 'New note');
  const exportLink = el('a', { class: 'button', href: '/api/v1/exports/notes.csv', download: true }, 'Export (CSV)');
  return [
    heading('Notes', session.mayWrite && exportLink, session.mayWrite && add),
    el('div', { class: 'filters' }, field('Status', status)),
    list.node,
  ];
}

/** @param {Item<'/api/v1/notes'>} note */
function noteRow(note, session, edit) {
  const title = session.mayWrite
    ? el('button', { type: 'button', class: 'link', onclick: edit }, note.title)
    : el('span', null, note.title);
  return [title, statusMark(note.status), formatTime(note.createdAt), formatTime(note.updatedAt)];
}

function writeDialog(written) {
  openDialog('New note', (close) =>
    noteForm({ title: '', body: '' }, 'Write', (content) => post('/api/v1/notes', content), [close, written]),
  );
}

// Loads the current note, because the list can be out of date.
async function editDialog(id, signal, changed) {
  const note = await get(`/api/v1/notes/${id}`, null, signal);
  openDialog(note.title, (close) => {
    const done = note.status === 'open' ? 'done' : 'open';
    const save = (content, version = note.version) => change(`/api/v1/notes/${id}`, content, version);
    const form = noteForm(note, 'Save', save, [close, changed]);
    const fault = el('div');
    const move = el(
      'button',
      { type: 'button', onclick: () => run(move, fault, () => save({ status: done }).then(close).then(changed)) },
      done === 'done' ? 'Mark as done' : 'Reopen',
    );
    return [...form, fault, move];
  });
}

function noteForm(note, action, send, [close, then]) {
  const title = el('input', { id: 'title', required: true, maxlength: TITLE_CHARS_MAX, value: note.title });
  const body = el('textarea', { id: 'body', rows: 6, maxlength: BODY_CHARS_MAX });
  body.value = note.body;
  const together = editTogether(note, () => get(`/api/v1/notes/${note.id}`), [
    textField('title', 'Title', title),
    textField('body', 'Text', body),
  ]);
  const fault = el('div');
  const submit = el('button', { type: 'submit', class: 'primary' }, action);
  const save = async () => {
    if ((await together.save(send)) === null) return;
    close();
    then();
  };
  const form = el(
    'form',
    {
      onsubmit: (event) => {
        event.preventDefault();
        run(submit, fault, save);
      },
    },
    field('Title', title),
    field('Text', body),
    together.node,
    fault,
    el('div', { class: 'actions' }, submit, el('button', { type: 'button', onclick: close }, 'Cancel')),
  );
  return [form];
}
