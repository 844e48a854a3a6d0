/** For the screen and for paper: dark on light, tables that go on over pages with their heads. */
export const STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { max-width: 1100px; margin: 0 auto; padding: 24px 20px 48px; background: #fff; color: #1b1f21;
  font: 13px/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif;
  font-variant-numeric: tabular-nums; }
h1 { margin: 0 0 2px; font-size: 20px; overflow-wrap: anywhere; }
h2 { margin: 26px 0 6px; padding-bottom: 4px; border-bottom: 1px solid #b9b9b2; font-size: 15px; }
h3 { margin: 14px 0 4px; font-size: 13px; }
p { margin: 4px 0; max-width: 90ch; overflow-wrap: anywhere; }
code, pre { font: 12px/1.45 ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; overflow-wrap: anywhere; }
pre { margin: 6px 0; padding: 8px 10px; border: 1px solid #deded9; border-radius: 4px; background: #f7f7f5; white-space: pre-wrap; }
.muted { color: #585f64; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 2px 18px; margin: 6px 0; }
dt { color: #585f64; max-width: 34ch; overflow-wrap: anywhere; }
dd { margin: 0; overflow-wrap: anywhere; }
.verdict { margin: 8px 0; padding: 8px 12px; border: 1px solid; border-left-width: 5px; border-radius: 4px; }
.verdict strong { font-size: 14px; }
.good { border-color: #19713a; } .good strong { color: #19713a; }
.doubt { border-color: #875200; } .doubt strong { color: #875200; }
.bad { border-color: #b3261e; } .bad strong { color: #b3261e; }
.scroll { overflow-x: auto; }
.scroll + .scroll { margin-top: 14px; }
table { width: 100%; border-collapse: collapse; font-size: 12px; }
thead { display: table-header-group; }
th { text-align: left; font-weight: 600; vertical-align: bottom; border-bottom: 1px solid #b9b9b2; }
th, td { padding: 2px 10px 2px 0; }
td { border-bottom: 1px solid #ecece8; vertical-align: top; }
td:first-child { overflow-wrap: anywhere; min-width: 14ch; }
.number { text-align: right; white-space: nowrap; }
tr { break-inside: avoid; }
ul { margin: 6px 0; padding-left: 18px; }
li { margin: 2px 0; overflow-wrap: anywhere; }
.error::marker { color: #b3261e; } .warning::marker { color: #875200; }
footer { margin-top: 32px; color: #585f64; font-size: 12px; }
@page { margin: 14mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  h2, h3 { break-after: avoid; }
  .verdict, pre { break-inside: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
}
`;
