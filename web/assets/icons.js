import { svg } from './el.js';

const SHAPES = {
  home: 'M3 20c0-9 5-15 17-16 1 11-5 16-13 16M3 20c3-5 6-8 10-10',
  people: 'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-5 3-7 7-7s7 2 7 7M16 4a4 4 0 0 1 0 7M18 14c3 1 4 3 4 7',
  mail: 'M3 5h18v14H3zM3 6l9 7 9-7',
  talk: 'M4 4h16v12H10l-5 4v-4H4z',
  pulse: 'M2 12h5l3-8 4 16 3-8h5',
};

export function icon(name) {
  return svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d: SHAPES[name] }));
}
