import { el, put } from '/assets/el.js';

const QUESTIONS_MAX = 8;

/** An editable list of questions; `values()` gives those that are not empty. */
export function questionList(initial = []) {
  const rows = el('ol', { class: 'questions' });
  const add = el('button', { type: 'button', onclick: () => append('').focus() }, 'Add a question');

  const append = (text) => {
    const input = el('input', { maxlength: 300, value: text, required: true });
    const row = el(
      'li',
      null,
      input,
      el('button', { type: 'button', class: 'quiet', onclick: () => moveUp(row) }, '↑'),
      el('button', { type: 'button', class: 'quiet', onclick: () => drop(row) }, '×'),
    );
    rows.append(row);
    relabel();
    return input;
  };
  const moveUp = (row) => {
    row.previousElementSibling?.before(row);
    relabel();
    row.querySelector('input').focus();
  };
  const drop = (row) => {
    const near = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    relabel();
    near?.querySelector('input').focus();
  };
  const relabel = () => {
    [...rows.children].forEach((row, i) => {
      const [input, up, away] = row.children;
      input.setAttribute('aria-label', `Question ${i + 1}`);
      up.setAttribute('aria-label', `Move question ${i + 1} up`);
      up.disabled = i === 0;
      away.setAttribute('aria-label', `Remove question ${i + 1}`);
      away.disabled = rows.children.length === 1;
    });
    add.disabled = rows.children.length >= QUESTIONS_MAX;
  };

  put(rows);
  for (const text of initial.length > 0 ? initial : ['']) append(text);
  const legend = el('legend', null, `Questions, asked one after the other (up to ${QUESTIONS_MAX})`);
  const values = () =>
    [...rows.querySelectorAll('input')].map((input) => input.value.trim()).filter((text) => text !== '');
  return { node: el('fieldset', { class: 'field' }, legend, rows, add), values };
}
