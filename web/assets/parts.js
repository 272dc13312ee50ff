// Small pieces that several views share.

import { Problem } from './api.js';
import { el, put, svg } from './el.js';

/**
 * A box that shows a wait, then what `load` brought, or the fault and a way to try again.
 * @template Found
 * @param {() => Promise<Found>} load
 * @param {(found: Found) => unknown} render
 */
export function slot(load, render) {
  const box = el('div', { class: 'slot' });
  const run = async () => {
    box.setAttribute('aria-busy', 'true');
    try {
      put(box, render(await load()));
    } catch (error) {
      if (error.name === 'AbortError') return;
      put(box, notice(error), el('button', { type: 'button', onclick: run }, 'Try again'));
    } finally {
      box.removeAttribute('aria-busy');
    }
  };
  put(box, el('p', { class: 'soft' }, 'Loading…'));
  run();
  return box;
}

/** Puts a fault (or a plain sentence) into words; our own fault also reaches the console. */
export function notice(error, kind = 'bad') {
  if (error instanceof Error && !(error instanceof Problem)) reportError(error);
  const text = error instanceof Error ? error.message : error;
  const errors = (error.errors ?? []).map((one) => el('li', null, [one.path, one.message].filter(Boolean).join(': ')));
  return el('div', { class: `notice ${kind}`, role: 'alert' }, text, errors.length > 0 && el('ul', null, errors));
}

/** Says something to screen readers without moving anything on the page. */
export function announce(text) {
  document.getElementById('announcer').textContent = text;
}

/** Label above a control; the control's id ties them. */
export function field(label, control, hint) {
  const hintId = hint && `${control.id}-hint`;
  if (hint) control.setAttribute('aria-describedby', hintId);
  const small = hint && el('small', { id: hintId }, hint);
  return el('div', { class: 'field' }, el('label', { for: control.id }, label), control, small);
}

/**
 * Says beside each field of a form what the server found wrong with it, by the field's name; without an error, nothing.
 * Returns whether all of it could be said there.
 */
export function markFields(form, error) {
  for (const old of form.querySelectorAll('.field-fault')) old.remove();
  for (const control of form.querySelectorAll('[aria-invalid]')) control.removeAttribute('aria-invalid');
  const marked = (error?.errors ?? []).map(({ path, message }) => {
    const control = form.querySelector(`#${CSS.escape(path.replace(/^body\//, ''))}`);
    if (control === null) return false;
    control.setAttribute('aria-invalid', 'true');
    control.after(el('small', { class: 'field-fault', role: 'alert' }, message));
    return true;
  });
  return marked.length > 0 && marked.every(Boolean);
}

/**
 * The texts of a form's fields, by their names.
 * @template {string} Name
 * @param {HTMLFormElement} form
 * @param {Name[]} names
 * @returns {Record<Name, string>}
 */
export function textsOf(form, ...names) {
  const data = new FormData(form);
  return Object.assign({}, ...names.map((name) => ({ [name]: data.get(name) })));
}

/** A horizontal bar of parts: bar('Memory', [{ share: 0.4, kind: 'good' }], '205 of 512 MB') */
export function bar(label, parts, text) {
  const total = parts.reduce((sum, part) => sum + part.share, 0);
  let x = 0;
  const rects = parts.map(({ share, kind }) => {
    const rect = svg('rect', {
      x: x * 100,
      y: 0,
      width: Math.max(0, Math.min(share, 1 - x)) * 100,
      height: 1,
      class: kind,
    });
    x += share;
    return rect;
  });
  const drawing = svg('svg', { viewBox: '0 0 100 1', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, rects);
  const now = Math.round(Math.min(total, 1) * 100);
  const aria = { role: 'progressbar', 'aria-label': label, 'aria-valuenow': now, 'aria-valuetext': text };
  return el('div', { class: 'bar', 'aria-valuemin': 0, 'aria-valuemax': 100, ...aria }, drawing);
}

/** A state in one word; `kind` says how it is: good, warn, bad, or nothing in particular. */
export function statusMark(status, kind = '') {
  return el('span', { class: `status ${kind}` }, status);
}

/** A key figure of the home page: its name, its value, a few words about it, and the view that it leads to, if any. */
export function figure(label, value, note, href) {
  return el(
    href ? 'a' : 'div',
    { class: 'figure card', href },
    el('span', { class: 'label' }, label),
    el('strong', null, value),
    el('span', { class: 'soft' }, note),
  );
}

/** What to do first, or next, where there is nothing to show yet. */
export function nextStep(title, text, ...actions) {
  return el(
    'section',
    { class: 'card next' },
    el('img', { src: '/assets/tardigrade.svg', alt: '' }),
    el('div', null, el('h2', null, title), el('p', null, text), el('div', { class: 'actions' }, actions)),
  );
}

/** Table rows under a header; for phones each cell carries its column's name (`data-label`). */
export function table(caption, columns, rows) {
  const head = columns.map((column) => el('th', { scope: 'col' }, column));
  const body = rows.map((cells) =>
    el(
      'tr',
      null,
      cells.map((cell, i) =>
        el('td', { 'data-label': columns[i], class: cell === '–' && 'none' }, el('div', null, cell)),
      ),
    ),
  );
  return el(
    'table',
    { class: 'list' },
    el('caption', { class: 'hidden' }, caption),
    el('thead', null, el('tr', null, head)),
    el('tbody', null, body),
  );
}

/** A choice of a few: segments('Days', [['7 days', true, choose], …]), where true marks the one chosen first. */
export function segments(legend, options) {
  const name = `segments-${legend.replace(/\W/g, '-')}`;
  return el(
    'fieldset',
    { class: 'segments' },
    el('legend', { class: 'hidden' }, legend),
    options.map(([text, checked, choose]) =>
      el(
        'label',
        null,
        el('input', { type: 'radio', name, checked, onchange: () => choose() }),
        el('span', null, text),
      ),
    ),
  );
}

/**
 * A modal dialog that removes itself when closed. `build(close)` returns its content. Focus goes back by itself to what
 * opened it, if that is still there.
 */
export function openDialog(title, build) {
  const onclose = () => {
    dialog.remove();
    if (document.activeElement === document.body) focusTitle();
  };
  const dialog = el('dialog', { 'aria-labelledby': 'dialog-title', onclose });
  showStep(
    dialog,
    title,
    build(() => dialog.close()),
  );
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** What a dialog shows, or shows next: what had the focus is gone then, so its title has it and is read out. */
export function showStep(dialog, title, content) {
  const heading = el('h2', { id: 'dialog-title' }, title);
  put(dialog, heading, content);
  if (!dialog.open) return; // when it opens, the browser chooses the first control
  heading.tabIndex = -1;
  heading.focus();
}

/** For when what had the focus has left the page: otherwise Tab begins at the top of it, and nothing is read out. */
export function focusTitle() {
  document.querySelector('h1')?.focus({ preventScroll: true });
}

/** Asks before something that cannot be undone; a refusal by the server is shown in the dialog. `keep` is the way out. */
export function confirmDialog(title, text, action, act, keep = 'Cancel') {
  openDialog(title, (close) => {
    const fault = el('div');
    const go = el(
      'button',
      { type: 'button', class: 'primary', onclick: () => run(go, fault, () => act().then(close)) },
      action,
    );
    const back = el('button', { type: 'button', onclick: close }, keep);
    return [el('p', null, text), fault, el('div', { class: 'actions' }, go, back)];
  });
}

/** What a dialog shows of something that nobody will see again: a key, a secret. */
export function secretShown(secret, label, hint, close) {
  const copied = el('span', { class: 'soft', role: 'status' });
  const copy = () =>
    navigator.clipboard.writeText(secret).then(
      () => put(copied, 'Copied.'),
      () => put(copied, 'Select it and copy it.'),
    );
  return [
    notice('Copy it now: it will not be shown again.', 'info'),
    hint && el('p', { class: 'soft' }, hint),
    el('pre', { class: 'secret', tabindex: '0', 'aria-label': label }, secret),
    el(
      'div',
      { class: 'actions' },
      el('button', { type: 'button', class: 'primary', onclick: copy }, 'Copy'),
      el('button', { type: 'button', onclick: close }, 'Done'),
      copied,
    ),
  ];
}

/** Runs an action behind a button: no second click while it runs, the fault shown in `fault`. */
export async function run(button, fault, act) {
  button.disabled = true;
  put(fault);
  try {
    await act();
  } catch (error) {
    if (error.name !== 'AbortError') put(fault, notice(error));
  } finally {
    button.disabled = false;
  }
}

export function heading(title, ...actions) {
  return el(
    'header',
    { class: 'heading' },
    el('h1', { tabindex: '-1' }, title),
    el('div', { class: 'actions' }, actions),
  );
}
