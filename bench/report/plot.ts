/** Line plots as SVG, drawn here: no script runs in the page, and a file that is opened in ten years still shows them. */

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
  /** A limit and the like: thin and dashed, in the colour of the series before. */
  readonly dashed?: boolean;
}

export interface Axis {
  readonly scale: 'linear' | 'log';
  /** Where a line and a label are; the axis reaches from the first to the last. */
  readonly ticks: readonly number[];
  readonly label: (value: number) => string;
}

export interface Plot {
  readonly title: string;
  readonly series: readonly Series[];
  readonly x: Axis;
  readonly y: Axis;
}

const [WIDTH, HEIGHT] = [560, 250];
const EDGE = { left: 72, right: 14, top: 12, bottom: 30 };
export const COLOURS = 8;

export function drawPlot({ title, series, x, y }: Plot): string {
  const across = place(x, EDGE.left, WIDTH - EDGE.right);
  const up = place(y, HEIGHT - EDGE.bottom, EDGE.top);
  const rows = y.ticks.map(
    (tick) =>
      `<line class="grid" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${up(tick)}" y2="${up(tick)}"/><text class="tick" x="${EDGE.left - 8}" y="${up(tick) + 4}" text-anchor="end">${escapeText(y.label(tick))}</text>`,
  );
  const columns = x.ticks.map(
    (tick) =>
      `<line class="grid faint" x1="${across(tick)}" x2="${across(tick)}" y1="${EDGE.top}" y2="${HEIGHT - EDGE.bottom}"/><text class="tick" x="${across(tick)}" y="${HEIGHT - 10}" text-anchor="${across(tick) > WIDTH - 2 * EDGE.right ? 'end' : 'middle'}">${escapeText(x.label(tick))}</text>`,
  );
  const solid = series.filter(({ dashed }) => !dashed);
  const lines = series.map(({ name, points, dashed }, index) => {
    const colour = coloursBefore(series, index);
    const path = points.map(([at, value], nth) => `${nth === 0 ? 'M' : 'L'}${across(at)} ${up(value)}`).join('');
    const again = !dashed && solidBefore(series, index) >= COLOURS ? ' again' : '';
    return `<path class="line c${colour}${dashed ? ' dashed' : again}" d="${path}"><title>${escapeText(name)}</title></path>`;
  });
  const legend = solid
    .map(
      ({ name }, index) =>
        `<li class="c${index % COLOURS}${index >= COLOURS ? ' again' : ''}">${escapeText(name)}</li>`,
    )
    .join('');
  return `<figure><figcaption>${escapeText(title)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(title)}">${rows.join('')}${columns.join('')}${lines.join('')}</svg>
${solid.length > 1 ? `<ul class="legend">${legend}</ul>` : ''}</figure>`;
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly label: string;
}

export function drawBars(title: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const rows = bars.map(
    ({ name, value, label }, index) =>
      `<li><span>${escapeText(name)}</span><span class="track"><i class="c${index % COLOURS}" style="width:${((100 * value) / most).toFixed(1)}%"></i></span><b>${escapeText(label)}</b></li>`,
  );
  return `<figure><figcaption>${escapeText(title)}</figcaption><ul class="bars">${rows.join('')}</ul></figure>`;
}

/** Round steps from 0 to at least `max`, four or five of them. */
export function linearTicks(max: number): number[] {
  const rough = Math.max(max, Number.MIN_VALUE) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, index) => index * step);
}

/** Powers of ten around [min, max]. */
export function logTicks(min: number, max: number): number[] {
  const from = Math.floor(Math.log10(min));
  const to = Math.max(from + 1, Math.ceil(Math.log10(max)));
  return Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
}

export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function place({ scale, ticks }: Axis, from: number, to: number): (value: number) => number {
  const along = scale === 'log' ? (value: number) => Math.log(value) : (value: number) => value;
  const [first, last] = [along(ticks[0] ?? 0), along(ticks.at(-1) ?? 1)];
  return (value) => {
    const share = Math.min(1, Math.max(0, (along(value) - first) / (last - first || 1)));
    return Math.round((from + share * (to - from)) * 10) / 10;
  };
}

/** A dashed line has the colour of the solid one before it. */
function coloursBefore(series: readonly Series[], index: number): number {
  return solidBefore(series, index) % COLOURS;
}

/** How many solid lines come before this one, or before the one whose colour it has. */
function solidBefore(series: readonly Series[], index: number): number {
  return Math.max(0, series.slice(0, index + 1).filter(({ dashed }) => !dashed).length - 1);
}
