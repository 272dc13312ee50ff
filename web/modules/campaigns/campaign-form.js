import { change, get, post } from '/assets/api.js';
import { editTogether, textField } from '/assets/changed-meanwhile.js';
import { el, put } from '/assets/el.js';
import { field, heading, markFields, notice, run, slot } from '/assets/parts.js';
import { mailPreview } from './mail-preview.js';
import { questionList } from './question-list.js';

const TYPING_PAUSE_MS = 400;

export function newCampaignView({ signal }) {
  return [
    heading('New campaign'),
    slot(
      () => get('/api/v1/campaigns/defaults', null, signal),
      (draft) => form(draft, signal),
    ),
  ];
}

export function editCampaignView({ id, signal }) {
  return [
    heading('Edit campaign'),
    slot(
      () => get(`/api/v1/campaigns/${id}`, null, signal),
      (campaign) => form(campaign, signal),
    ),
  ];
}

function form(draft, signal) {
  const name = el('input', {
    id: 'name',
    required: true,
    maxlength: 120,
    value: draft.name ?? '',
    placeholder: 'Monday check-in',
  });
  const subject = el('input', { id: 'subject', required: true, maxlength: 200, value: draft.subject });
  const body = el('textarea', { id: 'body', required: true, maxlength: 10_000, rows: 10, value: draft.body });
  const questions = questionList(draft.questions);
  const fault = el('div');
  const save = el('button', { class: 'primary' }, draft.id ? 'Save' : 'Save as draft');
  const together = editTogether(draft, () => get(`/api/v1/campaigns/${draft.id}`, null, signal), [
    textField('name', 'Name', name),
    textField('subject', 'Subject', subject),
    textField('body', 'Text of the email', body),
    {
      name: 'questions',
      label: 'Questions',
      read: questions.values,
      write: questions.set,
      show: questionTexts,
    },
  ]);
  const send = (fields, version) =>
    draft.id ? change(`/api/v1/campaigns/${draft.id}`, fields, version) : post('/api/v1/campaigns', fields);
  const submit = (event) => {
    event.preventDefault();
    run(save, fault, async () => {
      try {
        const saved = await together.save(send);
        if (saved !== null) location.hash = `#/campaigns/${saved.id}`;
      } catch (error) {
        if (!markFields(event.target, error)) throw error;
        event.target.querySelector('[aria-invalid]').focus();
      }
    });
  };
  const placeholders =
    '{{name}} and {{organisation}} are filled in for each recipient. The personal link is added as a button.';
  const node = el(
    'form',
    { class: 'card', onsubmit: submit },
    field('Name', name, 'For your own overview; recipients do not see it.'),
    field('Subject', subject),
    field('Text of the email', body, placeholders),
    questions.node,
    together.node,
    fault,
    el(
      'div',
      { class: 'actions' },
      save,
      el('a', { class: 'button', href: draft.id ? `#/campaigns/${draft.id}` : '#/campaigns' }, 'Cancel'),
    ),
  );
  return el('div', { class: 'two' }, node, livePreview(node, subject, body, signal));
}

function questionTexts(questions) {
  return el(
    'ol',
    null,
    questions.map(({ text }) => el('li', null, text)),
  );
}

// The server renders the preview with the code that renders the mail, so the two cannot differ. What it refuses there it
// would refuse to save, so it is said beside the field at once.
function livePreview(form, subject, body, signal) {
  const frame = el('div', null, el('p', { class: 'soft' }, 'Loading…'));
  let timer;
  let asked = new AbortController();
  const load = async () => {
    asked.abort();
    asked = new AbortController();
    const fields = { subject: subject.value, body: body.value };
    if (fields.subject.trim() === '' || fields.body.trim() === '') return;
    try {
      const mail = await post('/api/v1/campaigns/preview', fields, AbortSignal.any([signal, asked.signal]));
      markFields(form);
      put(frame, mailPreview(mail));
    } catch (error) {
      if (error.name === 'AbortError') return;
      put(
        frame,
        markFields(form, error) ? el('p', { class: 'soft' }, 'It follows as soon as this can be sent.') : notice(error),
      );
    }
  };
  for (const input of [subject, body]) {
    input.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(load, TYPING_PAUSE_MS);
    });
  }
  load();
  return el(
    'section',
    { class: 'card preview', 'aria-label': 'Preview of the email' },
    el('h2', null, 'Preview'),
    frame,
  );
}
