import { remove } from '/assets/api.js';
import { el } from '/assets/el.js';
import { confirmDialog, openDialog } from '/assets/parts.js';

/**
 * What somebody may ask for: everything that is held about them, or that it is deleted. `erased()` is called after that.
 * @param {Item<'/api/v1/employees'>} employee
 */
export function dataDialog({ id, name }, erased) {
  openDialog(`What is held about ${name}`, (close) => {
    const download = {
      class: 'button primary',
      download: true,
      href: `/api/v1/employees/${id}/personal-data`,
      onclick: close,
    };
    const erase = () => {
      close();
      confirmDialog(
        `Erase ${name}?`,
        'Everything that is held about them is deleted, for good. Reports of imports no longer say why rows were rejected, because that may quote them. Figures of whole teams stay: they name nobody. If their address is suppressed, it stays so, or the next import would have them sent mail again.',
        'Erase',
        async () => {
          await remove(`/api/v1/employees/${id}`);
          erased();
        },
      );
    };
    return [
      el('p', null, 'Download it as one file, or delete it. Either is noted in the audit log.'),
      el(
        'div',
        { class: 'actions' },
        el('a', download, 'Download'),
        el('button', { type: 'button', onclick: erase }, 'Erase…'),
        el('button', { type: 'button', onclick: close }, 'Cancel'),
      ),
    ];
  });
}
