import { el, put } from '/assets/el.js';

const QUESTIONS_MAX = 8;
const ANSWERS = [
  ['text', 'in words'],
  ['scale', 'on a scale'],
];

/** An editable list of questions, `{ text, answer }` each: `values()` gives those that are not empty, `set` replaces them. */
export function questionList(initial = []) {
  const rows = el('ol', { class: 'questions' });
  const add = el('button', { type: 'button', onclick: () => append(EMPTY).focus() }, 'Add a question');

  const append = ({ text, answer }) => {
    const input = el('input', { maxlength: 300, value: text, required: true });
    const kind = el(
      'select',
      null,
      ANSWERS.map(([value, label]) => el('option', { value, selected: value === answer }, label)),
    );
    const row = el(
      'li',
      null,
      input,
      kind,
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
      const [input, kind, up, away] = row.children;
      kind.setAttribute('aria-label', `How question ${i + 1} is answered`);
      input.setAttribute('aria-label', `Question ${i + 1}`);
      up.setAttribute('aria-label', `Move question ${i + 1} up`);
      up.disabled = i === 0;
      away.setAttribute('aria-label', `Remove question ${i + 1}`);
      away.disabled = rows.children.length === 1;
    });
    add.disabled = rows.children.length >= QUESTIONS_MAX;
  };

  const set = (questions) => {
    put(rows);
    for (const question of questions.length > 0 ? questions : [EMPTY]) append(question);
  };
  set(initial);
  const legend = el('legend', null, `Questions, asked one after the other (up to ${QUESTIONS_MAX})`);
  const values = () =>
    [...rows.children]
      .map(({ children: [input, kind] }) => ({ text: input.value.trim(), answer: kind.value }))
      .filter(({ text }) => text !== '');
  const node = el('fieldset', { class: 'field' }, legend, rows, add, el('p', { class: 'soft' }, NOTE));
  return { node, values, set };
}

const EMPTY = { text: '', answer: 'text' };

const NOTE =
  'On a scale: people tap a number from 1 (low) to 5 (high), which can be compared in every language. Words are rated in English only.';
