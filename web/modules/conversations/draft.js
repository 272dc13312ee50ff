// What is in the form and not sent yet. Each window has its own, and it survives a reload: sessionStorage. A window that
// is duplicated takes a copy along, and from then on the two go their own ways.

const DRAFT_CHARS_MAX = 20_000; // ten answers: more is a paste by mistake, and stays in the form only

/** @typedef {{ text: string, questionSeq: number }} Draft `questionSeq`: of the question it was begun for */

/** @param {string} token of the link */
export function keepDraft(token) {
  const key = `draft/${token}`;
  return {
    /** @returns {Draft | undefined} */
    read() {
      try {
        const draft = JSON.parse(sessionStorage.getItem(key) ?? '');
        return typeof draft.text === 'string' && Number.isInteger(draft.questionSeq) ? draft : undefined;
      } catch {
        return undefined;
      }
    },
    /** @param {Draft} draft */
    write(draft) {
      try {
        if (draft.text === '' || draft.text.length > DRAFT_CHARS_MAX) sessionStorage.removeItem(key);
        else sessionStorage.setItem(key, JSON.stringify(draft));
      } catch {
        // Private windows may refuse storage; the form still holds the text.
      }
    },
  };
}
