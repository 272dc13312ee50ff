/** What a dashboard shows, in our own words; the JSON of Grafana is made of it. */
export interface Panel {
  /** What is seen, with its unit in words where the axis does not say it. */
  readonly title: string;
  /** What is normal, what is not, and where to look then: shown at the (i) of the panel. */
  readonly help: string;
  readonly unit: 'bytes' | 's' | 'percentunit' | 'short' | 'reqps';
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
  /** A red line. The value is on the wrong side when it is above, or below if `isMin`. */
  readonly threshold?: { readonly value: number; readonly isMin?: boolean };
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly says: string;
  readonly rows: readonly Row[];
  /** For the list of alerts at the top: only those about these processes. */
  readonly process?: string;
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variable
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const WIDTH = 24;
const PANEL = { w: 8, h: 7 };
const ALERTS_HEIGHT = 6;

export function toGrafana({ uid, title, says, rows, process }: Dashboard): object {
  let id = 0;
  let y = 0;
  const panels: object[] = [];
  const add = (panel: object, gridPos: { x: number; y: number; w: number; h: number }) =>
    panels.push({ id: ++id, gridPos, ...panel });

  add(alertTable(process), { x: 0, y, w: 16, h: ALERTS_HEIGHT });
  add(textPanel(says), { x: 16, y, w: 8, h: ALERTS_HEIGHT });
  y += ALERTS_HEIGHT;
  for (const row of rows) {
    add({ type: 'row', title: row.title, collapsed: false, panels: [] }, { x: 0, y, w: WIDTH, h: 1 });
    y += 1;
    row.panels.forEach((panel, at) => {
      const column = at % (WIDTH / PANEL.w);
      if (at > 0 && column === 0) y += PANEL.h;
      add(timeSeries(panel), { x: column * PANEL.w, y, ...PANEL });
    });
    y += PANEL.h;
  }
  return {
    uid,
    title,
    tags: ['tardigrade'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '15s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    graphTooltip: 1,
    links: [{ type: 'dashboards', tags: ['tardigrade'], title: 'Tardigrade', asDropdown: true, keepTime: true }],
    annotations: {
      list: [
        {
          name: 'Starts',
          datasource: DATASOURCE,
          enable: true,
          iconColor: 'purple',
          expr: 'changes(process_start_time_seconds{job="tardigrade"}[1m]) > 0',
          titleFormat: '{{process}} started',
        },
      ],
    },
    templating: { list: [{ name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus' }] },
    panels,
  };
}

/** The first thing to read: what is wrong, and what to do about it. Empty is good. */
function alertTable(process: string | undefined): object {
  const filter = process === undefined ? '' : `, process=~"${process}|"`;
  return {
    type: 'table',
    title: 'What is wrong now (empty: nothing)',
    datasource: DATASOURCE,
    targets: [
      {
        refId: 'A',
        expr: `sort_desc(ALERTS{alertstate="firing", alertname!="Watchdog", severity=~"now|today"${filter}})`,
        format: 'table',
        instant: true,
      },
    ],
    transformations: [
      {
        id: 'organize',
        options: {
          excludeByName: { Time: true, Value: true, __name__: true, alertstate: true, job: true },
          indexByName: { severity: 0, alertname: 1, process: 2, instance: 3 },
        },
      },
    ],
    fieldConfig: {
      defaults: {},
      overrides: [
        {
          matcher: { id: 'byName', options: 'severity' },
          properties: [
            {
              id: 'mappings',
              value: [
                {
                  type: 'value',
                  options: { now: { text: 'now', color: 'red' }, today: { text: 'today', color: 'orange' } },
                },
              ],
            },
            { id: 'custom.cellOptions', value: { type: 'color-background' } },
          ],
        },
      ],
    },
    options: { showHeader: true },
  };
}

function textPanel(content: string): object {
  return { type: 'text', title: '', options: { mode: 'markdown', content } };
}

function timeSeries({ title, help, unit, queries, threshold }: Panel): object {
  const steps =
    threshold === undefined
      ? [{ color: 'green', value: null }]
      : threshold.isMin
        ? [
            { color: 'red', value: null },
            { color: 'transparent', value: threshold.value },
          ]
        : [
            { color: 'transparent', value: null },
            { color: 'red', value: threshold.value },
          ];
  return {
    type: 'timeseries',
    title,
    description: help,
    datasource: DATASOURCE,
    targets: queries.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + at),
      expr,
      legendFormat: legend,
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(unit === 'percentunit' ? { max: 1 } : {}),
        custom: {
          lineWidth: 2,
          fillOpacity: 5,
          spanNulls: false,
          thresholdsStyle: { mode: threshold === undefined ? 'off' : 'line+area' },
        },
        thresholds: { mode: 'absolute', steps },
      },
      overrides: [],
    },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}
