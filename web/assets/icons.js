import { svg } from './el.js';

const SHAPES = {
  home: 'M3 20c0-9 5-15 17-16 1 11-5 16-13 16M3 20c3-5 6-8 10-10',
  people: 'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-5 3-7 7-7s7 2 7 7M16 4a4 4 0 0 1 0 7M18 14c3 1 4 3 4 7',
  mail: 'M3 5h18v14H3zM3 6l9 7 9-7',
  talk: 'M4 4h16v12H10l-5 4v-4H4z',
  pulse: 'M2 12h5l3-8 4 16 3-8h5',
  list: 'M9 6h12M9 12h12M9 18h12M4 6h.01M4 12h.01M4 18h.01',
  file: 'M6 3h8l5 5v13H6zM14 3v5h5M9 13h7M9 17h7',
  chart: 'M4 3v18h17M8 16v-4M12 16V8M16 16v-6',
  block: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM6 6l12 12',
  key: 'M15 14a5 5 0 1 0-4.6-3L3 18v3h4v-2h2v-2h2l1.6-1.6A5 5 0 0 0 15 14zM16 8h.01',
  more: 'M4 12h2M11 12h2M18 12h2',
  box: 'M3 8l9-5 9 5v8l-9 5-9-5zM3 8l9 5 9-5M12 13v8',
};

/** An unknown name is drawn as a box. */
export function icon(name) {
  const d = SHAPES[name] ?? SHAPES.box;
  return svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d }));
}
