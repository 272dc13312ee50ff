import { count } from '/assets/format.js';
import { figure } from '/assets/parts.js';
import { notesView } from './notes.js';

export const links = [{ path: '/notes', text: 'Notes', icon: 'list' }];

export const views = [{ pattern: /^\/notes$/, view: notesView }];

export const home = {
  figures: ({ notesThisWeek }) => [figure('Notes this week', count(notesThisWeek, 'note'), '#/notes')],
};
