//! The look of the page: dark on light, the same on paper.

pub(super) const STYLE: &str = "
:root { color-scheme: light; --ink: #1c2430; --soft: #566072; --line: #d5dae2; --paper: #ffffff; --wash: #f4f6f9;
  --warning: #9a3400; --warning-wash: #fff1e6; --note: #1f4f8f; --note-wash: #eaf2fc; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; }
header, main, footer { max-width: 1160px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 28px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 22px; margin: 44px 0 8px; padding-bottom: 4px; border-bottom: 2px solid var(--line); }
h3 { font-size: 18px; margin: 30px 0 4px; }
p { margin: 6px 0 10px; max-width: 78ch; }
a { color: #174ea6; }
a:focus-visible, summary:focus-visible { outline: 3px solid #174ea6; outline-offset: 2px; border-radius: 2px; }
code, .name { font-family: ui-monospace, 'SFMono-Regular', Menlo, Consolas, monospace; font-size: 0.88em; overflow-wrap: anywhere; }
.skip { position: absolute; left: -9999px; }
.skip:focus { left: 24px; top: 8px; background: var(--paper); padding: 4px 8px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 16px 0; padding: 0; }
.facts div { background: var(--wash); border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px; }
.facts dt { color: var(--soft); font-size: 14px; }
.facts dd { margin: 0; font-size: 20px; font-weight: 600; overflow-wrap: anywhere; }
.facts small { font-size: 13px; font-weight: 400; color: var(--soft); display: block; }
nav ul { display: flex; flex-wrap: wrap; gap: 6px 18px; list-style: none; padding: 0; margin: 8px 0; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; margin: 8px 0 14px; font-size: 15px; }
th, td { text-align: left; vertical-align: top; padding: 5px 8px; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; background: var(--wash); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.badge { display: inline-block; border-radius: 4px; padding: 0 8px; font-size: 14px; font-weight: 600; white-space: nowrap; }
.badge.warning { color: var(--warning); background: var(--warning-wash); border: 1px solid #e6b493; }
.badge.note { color: var(--note); background: var(--note-wash); border: 1px solid #b5cdec; }
.pointer { color: var(--soft); font-size: 13px; display: block; }
summary { cursor: pointer; color: #174ea6; margin: 4px 0; }
.figures { display: flex; flex-wrap: wrap; gap: 14px; align-items: flex-start; }
figure { margin: 8px 0; max-width: 100%; border: 1px solid var(--line); border-radius: 6px; padding: 8px; break-inside: avoid; }
figure svg { display: block; max-width: 100%; height: auto; }
.pulls figure { width: calc(50% - 7px); margin: 0; }
figcaption { color: var(--soft); font-size: 14px; max-width: 90ch; overflow-wrap: anywhere; padding: 4px 4px 0; }
footer { margin-top: 44px; padding-top: 10px; padding-bottom: 30px; border-top: 1px solid var(--line); color: var(--soft); font-size: 14px; }
@media print {
  body { font-size: 11pt; }
  nav, .skip { display: none; }
  h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; }
  a { color: inherit; text-decoration: none; }
}
";
