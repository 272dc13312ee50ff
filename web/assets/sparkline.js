import { svg } from './el.js';

/** A line without axes; `max` fixes the scale, so that two sparklines can be compared. */
export function sparkline(values, max, label) {
  const top = Math.max(max ?? 0, ...values, 1e-9);
  const points = values.map((value, i) => [(i / Math.max(values.length - 1, 1)) * 100, 23 - (value / top) * 22]);
  const area = `${linePath(points)} L100 24 L0 24Z`;
  return svg(
    'svg',
    { viewBox: '0 0 100 24', preserveAspectRatio: 'none', class: 'spark', role: 'img', 'aria-label': label },
    values.length > 1 && [svg('path', { class: 'area', d: area }), svg('path', { class: 'line', d: linePath(points) })],
  );
}

/** [[x, y], …] as the `d` of a path. */
export function linePath(points) {
  return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join(' ');
}
