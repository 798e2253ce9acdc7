"""How the pages of reports look: in daylight and in the dark, on a desk and on a phone."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2731; --dim: #5b6874; --line: #d9e0e6; --paper: #ffffff; --shade: #f4f7f9;
  --good: #1a7f4b; --bad: #c0362c; --some: #8a6100; --mark: #2d62a3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4eaf0; --dim: #98a5b2; --line: #35414d; --paper: #12171c;
  --shade: #1b222a; --good: #56b981; --bad: #f0786c; --some: #d9a93a; --mark: #7aaee8; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--ink); background: var(--paper);
  margin: 0 auto; max-width: 68rem; padding: 1.2rem 1rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; padding-bottom: .2rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p, ul, ol { margin: .4rem 0; } ul, ol { padding-left: 1.3rem; }
a { color: var(--mark); text-decoration-thickness: 1px; text-underline-offset: 2px; }
.lead { font-size: 1.15rem; } .dim { color: var(--dim); } .good { color: var(--good); } .bad { color: var(--bad); }
.some { color: var(--some); } .small { font-size: .87rem; }
.wide { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; width: 100%; }
th { color: var(--dim); font-weight: 500; font-size: .87rem; text-align: left; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: normal; }
th:last-child, td:last-child { padding-right: 0; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.plot, th.plot { width: 12rem; min-width: 8rem; } td.name { min-width: 6.5rem; overflow-wrap: break-word; }
td.why { min-width: 12rem; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: 1.4rem; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: 0 .8rem; }
details[open] { padding-bottom: .7rem; } summary { cursor: pointer; padding: .45rem 0; }
summary:focus-visible, a:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
.at > h3:first-child { margin-top: .3rem; } .at { scroll-margin-top: 3.5rem; }
.at:target { border-left: 3px solid var(--mark); padding-left: .7rem; }
pre { font: 12.5px/1.45 ui-monospace, Menlo, Consolas, monospace; background: var(--shade); border-radius: 4px;
  padding: .6rem .7rem; margin: .4rem 0; overflow-x: auto; white-space: pre-wrap; }
.said { border-left: 3px solid var(--line); padding-left: .7rem; margin: .5rem 0; white-space: pre-wrap; }
.plus { color: var(--good); } .minus { color: var(--bad); } .place { color: var(--dim); }
@media (max-width: 40rem) { body { padding: .6rem .7rem 3rem; } h1 { font-size: 1.25rem; }
  th, td { padding-right: .6rem; } td.plot, th.plot { width: 8rem; min-width: 6rem; } details { padding: 0 .6rem; }
  .minor { display: none; } }
@media print { details { break-inside: avoid; } body { max-width: none; } }
"""
