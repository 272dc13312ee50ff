/** The colours are those of the product's own pages (web/assets/style.css); the lines' are told apart by most eyes. */
export const PAGE_CSS = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#f6f4ec, #101715); --surface: light-dark(#fffefa, #18211e); --raised: light-dark(#efece0, #212c28);
  --line: light-dark(#dedac9, #2d3a35); --ink: light-dark(#1d2824, #e7ede8); --soft: light-dark(#596760, #a3b3aa);
  --moss: light-dark(#2a6b4e, #8ad1a8); --amber: light-dark(#8f5411, #e6b066); --rust: light-dark(#a23a22, #f39a80);
  --good-wash: light-dark(#e2efe4, #1c3529); --warn-wash: light-dark(#f7ead2, #392d18); --bad-wash: light-dark(#f8e3da, #40241c);
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "P052", "Book Antiqua", Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 var(--sans); }
main { max-width: 1240px; margin: 0 auto; padding: 40px 24px 80px; }
h1, h2 { font-family: var(--serif); font-weight: 600; line-height: 1.2; letter-spacing: -.01em; margin: 0 0 .4em; }
h1 { font-size: 2rem; } h2 { font-size: 1.4rem; }
a { color: var(--moss); }
.soft { color: var(--soft); } header p { margin: .3em 0; }
section { background: var(--surface); border: 1px solid var(--line); border-radius: 14px; padding: 22px; margin-top: 22px; scroll-margin-top: 12px; }
section > p { margin: 0 0 14px; max-width: 80ch; }
.badge { display: inline-block; padding: .1em .65em; border-radius: 99px; font: 600 .82rem/1.6 var(--sans); letter-spacing: 0; white-space: nowrap; vertical-align: middle; }
.badge.met { background: var(--good-wash); color: var(--moss); }
.badge.not-met { background: var(--bad-wash); color: var(--rust); }
.badge.inconclusive { background: var(--warn-wash); color: var(--amber); }
.reasons { margin: 0 0 14px; padding: 10px 14px 10px 32px; border-radius: 10px; background: var(--bad-wash); }
.reasons.inconclusive { background: var(--warn-wash); } .reasons.met { background: var(--raised); }
dl { display: grid; grid-auto-flow: dense; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 10px; margin: 0 0 18px; }
dl div { background: var(--raised); border-radius: 10px; padding: 9px 12px; min-width: 0; }
dt { color: var(--soft); font-size: .82rem; line-height: 1.3; }
dd { margin: 2px 0 0; font-size: 1.2rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
dd.words { font-size: .95rem; font-weight: 500; line-height: 1.35; }
dl div:has(.words) { grid-column: span 2; } dl div:has(.sentence) { grid-column: 1 / -1; }
dl.facts div:has(.words) { grid-column: auto; }
dl.facts { grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); margin: 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 22px 26px; }
figure { margin: 0; min-width: 0; } figcaption { font-weight: 600; font-size: .92rem; margin-bottom: 6px; }
svg { display: block; width: 100%; height: auto; }
.grid { stroke: var(--line); } .grid.faint { stroke-dasharray: 1 4; }
.tick { fill: var(--soft); font: 11.5px var(--sans); font-variant-numeric: tabular-nums; }
.line { fill: none; stroke: var(--c); stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
.line.again { stroke-dasharray: 2 5; }
.line.dashed { stroke: var(--rust); stroke-width: 1.4; stroke-dasharray: 6 4; }
.c0 { --c: light-dark(#2a6b4e, #7fd0a3); } .c1 { --c: light-dark(#3b6fb6, #8db8f0); } .c2 { --c: light-dark(#c2701c, #eeb068); }
.c3 { --c: light-dark(#8a4b9e, #d3a0e4); } .c4 { --c: light-dark(#0f8b8d, #6fd6d8); } .c5 { --c: light-dark(#b5446e, #f2a0bf); }
.c6 { --c: light-dark(#7a7a1f, #cfcf70); } .c7 { --c: light-dark(#5b5f66, #b4bac2); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 3px 16px; margin: 6px 0 0; padding: 0 0 0 62px; font-size: .85rem; color: var(--soft); }
.legend li::before { content: ""; display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: 6px; vertical-align: middle; background: var(--c); }
.legend .again::before { background: repeating-linear-gradient(90deg, var(--c) 0 3px, transparent 3px 6px); }
.bars { list-style: none; margin: 14px 0 0; padding: 0; display: grid; gap: 11px; font-size: .92rem; }
.bars li { display: grid; grid-template-columns: 80px 1fr 76px; gap: 10px; align-items: center; }
.bars b { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; font-weight: 600; }
.track, .gauge { display: block; height: 12px; border-radius: 6px; background: var(--raised); overflow: hidden; }
.track i, .gauge i { display: block; height: 100%; border-radius: 6px; background: var(--c); }
.gauge { display: inline-block; width: 92px; height: 9px; vertical-align: middle; }
.gauge .fine { background: var(--moss); } .gauge .tight { background: var(--amber); } .gauge .full { background: var(--rust); }
.peak { white-space: nowrap; font-variant-numeric: tabular-nums; }
.tables { margin-top: 20px; display: grid; gap: 14px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th { text-align: left; color: var(--soft); font-weight: 500; font-size: .82rem; }
th, td { padding: 7px 14px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child td { border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.bad td { background: var(--bad-wash); }
summary { cursor: pointer; color: var(--moss); font-weight: 500; padding: 4px 0; }
@media (max-width: 640px) { main { padding: 20px 12px 60px; } section { padding: 16px 14px; } .legend { padding-left: 0; } .tick { font-size: 17px; } .bars li { grid-template-columns: 64px 1fr 84px; } .overview :is(th, td):last-child { display: none; }
  .overview thead { display: none; } .overview tr { display: grid; grid-template-columns: auto 1fr; gap: 2px 10px; padding: 10px 0; border-bottom: 1px solid var(--line); }
  .overview tr:last-child { border-bottom: 0; } .overview td { padding: 0; border-bottom: 0; } .overview td:nth-child(3) { grid-column: 1 / -1; } }
@media print { body { background: none; } section { break-inside: avoid; } }
`;
