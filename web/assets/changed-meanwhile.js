// Two people edit the same thing. The server refuses the second one to save (412), and nothing of either is lost:
// what the other one has saved comes into the fields that were left alone here, and where both have changed a field,
// theirs is shown below it, to be taken or not. The next save is about their version.

import { Problem } from './api.js';
import { el, put } from './el.js';

/**
 * @template {object} Thing
 * @param {Thing & { version?: number }} thing as the form begins with it, with its `version` when it is not new
 * @param {() => Promise<Thing & { version: number }>} reload reads it as it is now
 * @param {{ name: keyof Thing & string, label: string, read: () => unknown, write: (value) => void,
 *   show?: (value) => Node | string }[]} fields of the thing, by name: what is in the form, and how to change it
 */
export function editTogether(thing, reload, fields) {
  const node = el('div');
  let seen = thing;
  const content = () => Object.fromEntries(fields.map(({ name, read }) => [name, read()]));
  /**
   * Resolves to null when somebody else was faster; then `node` says what has happened.
   * @template Saved
   * @param {(content, version: number) => Promise<Saved>} send
   * @returns {Promise<Saved | null>}
   */
  async function save(send) {
    try {
      return await send(content(), seen.version);
    } catch (error) {
      if (error.code !== 'changed_meanwhile') throw error;
      const theirs = await reload();
      put(node, merge(seen, theirs, fields));
      node.scrollIntoView({ block: 'nearest' });
      seen = theirs;
      return null;
    }
  }
  return { node, save };
}

/**
 * An action on what the person has seen. When somebody else was faster nothing is done: `reload` shows how it is now, and
 * the error says so.
 * @template Done
 * @param {() => Promise<Done>} act
 * @param {() => unknown} reload
 * @returns {Promise<Done>}
 */
export async function actOnSeen(act, reload) {
  try {
    return await act();
  } catch (error) {
    if (error.code !== 'changed_meanwhile') throw error;
    await reload();
    throw new Problem({ ...error, detail: CHANGED });
  }
}

const CHANGED =
  'Somebody else has changed this meanwhile, so nothing was done. Look at how it is now, and decide again.';

/** A field of `editTogether` that is one control with a text. */
export function textField(name, label, control) {
  return {
    ...{ name, label },
    read: () => control.value,
    write(value) {
      control.value = value;
      control.dispatchEvent(new Event('input', { bubbles: true }));
    },
  };
}

function merge(before, theirs, fields) {
  const changedByBoth = [];
  for (const field of fields) {
    const [was, mine, now] = [before[field.name], field.read(), theirs[field.name]];
    if (isSame(mine, was)) field.write(now);
    else if (!isSame(now, was) && !isSame(now, mine)) changedByBoth.push(theirsOf(field, now));
  }
  const next =
    changedByBoth.length > 0
      ? 'What you both have changed is still as you have typed it. Compare, and save again.'
      : 'Their changes have been added to yours. Save again.';
  return el(
    'div',
    { class: 'notice info', role: 'alert' },
    el('strong', null, 'Somebody else has changed this meanwhile, so it was not saved yet.'),
    ` ${next}`,
    changedByBoth,
  );
}

function theirsOf({ label, write, show = String }, value) {
  const box = el('div', { class: 'theirs-now' }, el('h3', null, `Their version of “${label}”`));
  const take = () => {
    write(value);
    box.remove();
  };
  box.append(
    el('blockquote', null, show(value)),
    el('button', { type: 'button', onclick: take }, 'Use theirs'),
    el('button', { type: 'button', class: 'quiet', onclick: () => box.remove() }, 'Keep mine'),
  );
  return box;
}

function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
