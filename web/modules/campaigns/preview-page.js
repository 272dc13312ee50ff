// Where the links of a test email lead: the questions as people will see them. Nothing is sent from here.
import { getUndocumented } from '/assets/api.js';
import { el, put } from '/assets/el.js';
import { notice } from '/assets/parts.js';

const SCALE = [1, 2, 3, 4, 5];

const box = document.getElementById('questions');
try {
  const { name, questions } = await getUndocumented(`${location.pathname}/questions`);
  document.title = `Preview: ${name}`;
  put(box, el('h2', null, name), el('ol', { class: 'stack' }, questions.map(question)));
} catch (error) {
  put(box, notice(error));
}

function question({ text, answer }, nth) {
  const id = `question-${nth}`;
  const control =
    answer === 'scale'
      ? el(
          'select',
          { id },
          SCALE.map((value) => el('option', null, String(value))),
        )
      : el('textarea', { id, rows: 2 });
  return el('li', null, el('label', { for: id }, text), control);
}
