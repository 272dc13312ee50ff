import { formatNumber } from '/assets/format.js';
import { figure } from '/assets/parts.js';
import { notesView } from './notes.js';

export const links = [{ path: '/notes', text: 'Notes', icon: 'list' }];

export const views = [{ pattern: /^\/notes$/, view: notesView }];

export const home = {
  figures: ({ notesThisWeek }) => [
    figure('Notes', formatNumber(notesThisWeek), 'written in the last 7 days', '#/notes'),
  ],
};
