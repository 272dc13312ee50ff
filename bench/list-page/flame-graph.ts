/** A CPU profile as an SVG: a box for each function, as wide as its time, on top of the one that called it. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CpuProfile, type ProfileNode, selfTimes } from './layers.ts';

/** Files are named from here: where the checkout is says nothing to a reader. */
const ROOT = `${pathToFileURL(path.resolve(import.meta.dirname, '..', '..')).href}/`;
const WIDTH = 1200;
const ROW = 16;
const CHARACTER = 6.5; // pixels of one, at the font size below
/** Narrower boxes are left out: nobody can point at them. */
const NARROWEST = 0.5;
const COLOURS = ['#e8c170', '#d98a5b', '#9db4c0', '#7fa99b', '#c9ada7', '#b5c99a'];

interface Frame {
  readonly label: string;
  readonly url: string;
  us: number;
  readonly children: Map<string, Frame>;
}

export function flameGraph(profile: CpuProfile, title: string): string {
  const root = mergedCalls(profile);
  const boxes: string[] = [];
  let deepest = 0;
  draw(root, 0, 0);
  const height = (deepest + 3) * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="#fff"/><text x="4" y="${ROW - 3}">${escaped(title)}</text>
${boxes.join('\n')}
</svg>
`;

  function draw(frame: Frame, depth: number, from: number): void {
    const width = (frame.us / root.us) * WIDTH;
    if (width < NARROWEST) return;
    deepest = Math.max(deepest, depth);
    const percent = ((100 * frame.us) / root.us).toFixed(1);
    const text = frame.label.slice(0, Math.floor((width - 4) / CHARACTER));
    const y = (depth + 1.5) * ROW;
    boxes.push(
      `<g><title>${escaped(`${frame.label} ${frame.url} ${percent} %`)}</title>` +
        `<rect x="${from.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colourOf(frame.url)}"/>` +
        `${text.length > 2 ? `<text x="${(from + 2).toFixed(1)}" y="${y + ROW - 4}">${escaped(text)}</text>` : ''}</g>`,
    );
    let at = from;
    for (const child of [...frame.children.values()].sort((a, b) => b.us - a.us)) {
      draw(child, depth + 1, at);
      at += (child.us / root.us) * WIDTH;
    }
  }
}

/** Calls of one function by one caller together, without the time in which there was nothing to do. */
function mergedCalls(profile: CpuProfile): Frame {
  const self = selfTimes(profile);
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const all = newFrame('all', '');
  const [root] = profile.nodes;
  if (root !== undefined) for (const id of root.children ?? []) add(byId.get(id) as ProfileNode, all);
  all.us = [...all.children.values()].reduce((total, { us }) => total + us, 0);
  return all;

  function add({ id, callFrame: { functionName, url }, children = [] }: ProfileNode, caller: Frame): number {
    if (functionName === '(idle)') return 0;
    const key = `${functionName} ${url}`;
    const frame = caller.children.get(key) ?? newFrame(functionName || '(anonymous)', url.replace(ROOT, ''));
    caller.children.set(key, frame);
    let us = self.get(id) ?? 0;
    for (const child of children) us += add(byId.get(child) as ProfileNode, frame);
    frame.us += us;
    return us;
  }
}

function newFrame(label: string, url: string): Frame {
  return { label, url, us: 0, children: new Map() };
}

function colourOf(url: string): string {
  const origin = url.startsWith('src/')
    ? 'src'
    : (/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? url.split(':')[0] ?? '');
  const sum = [...origin].reduce((total, character) => total + character.charCodeAt(0), 0);
  return COLOURS[sum % COLOURS.length] as string;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
