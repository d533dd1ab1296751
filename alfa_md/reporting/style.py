"""CSS of the report: system fonts, light and dark mode, one column on narrow screens."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f5f6f8; --ink: #1c2330; --soft: #5b6575; --rule: #d5dae2;
  --loud: #8a2d00; --loud-paper: #fff1e6;
  --run0: #0b62b0; --run1: #c2500a; --run2: #0a7d5a; --run3: #a8397f;
  --run4: #6a51a3; --run5: #8c6d00; --run6: #b3202c; --run7: #4d5664;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181f; --panel: #1d232d; --ink: #e6e9ee; --soft: #a3adbb; --rule: #384150;
    --loud: #ffb782; --loud-paper: #3a2415;
    --run0: #6db3f2; --run1: #f29a5c; --run2: #4fcca0; --run3: #ea8cc4;
    --run4: #b5a1ee; --run5: #dcc14e; --run6: #f27d86; --run7: #b4bdca;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem clamp(0.8rem, 3vw, 2rem) 3rem; max-width: 76rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
}
h1 { font-size: 1.6rem; margin: 0.6rem 0 0.2rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 0.5rem; }
h3 { font-size: 1.05rem; margin: 1.2rem 0 0.4rem; overflow-wrap: anywhere; }
p { margin: 0.4rem 0 0.7rem; max-width: 60rem; }
.soft, small, figcaption { color: var(--soft); }
small { font-size: 0.85em; white-space: nowrap; }
.loud {
  background: var(--loud-paper); color: var(--loud); border-left: 4px solid var(--loud);
  padding: 0.5rem 0.8rem; font-weight: 600;
}
.swatch { display: inline-block; width: 1.6rem; margin-right: 0.5rem; vertical-align: middle; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.4rem; }
.grid, .cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); }
.cards { grid-template-columns: repeat(auto-fill, minmax(min(28rem, 100%), 1fr)); }
.card, figure { background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; }
.card { padding: 0.2rem 1rem 0.8rem; min-width: 0; }
.card h3 { margin-top: 0.6rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 0.9rem; margin: 0.4rem 0 0.7rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 0; padding: 0.6rem 0.7rem 0.3rem; }
figcaption { font-weight: 600; }
svg { display: block; width: 100%; height: auto; color: var(--ink); stroke-linejoin: round; stroke-linecap: butt; }
svg text { fill: var(--ink); }
.scroll {
  overflow-x: auto; width: fit-content; max-width: 100%; margin: 0.4rem 0 0.8rem;
  border: 1px solid var(--rule); border-radius: 8px;
}
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.32rem 0.8rem; text-align: right; border-top: 1px solid var(--rule); white-space: nowrap; }
thead th { border-top: 0; vertical-align: bottom; white-space: normal; min-width: 6.5rem; max-width: 12rem; }
th:first-child { position: sticky; left: 0; background: var(--panel); text-align: left; font-weight: 500; }
thead th { background: var(--panel); }
tbody tr.sum > * { border-top: 2px solid var(--soft); }
table.text td { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 10rem; }
table.text th { text-align: left; }
table.text th:first-child { white-space: normal; max-width: 42vw; }
details { margin: 0.3rem 0; }
summary { cursor: pointer; color: var(--soft); }
pre { overflow: auto; max-height: 24rem; font-size: 0.8rem; line-height: 1.35; margin: 0.4rem 0; }
.command { white-space: pre-wrap; overflow-wrap: anywhere; }
code { font-size: 0.88em; }
@media (max-width: 40rem) {
  th, td { padding: 0.3rem 0.5rem; font-size: 0.88rem; }
  dl { gap: 0.15rem 0.7rem; font-size: 0.95rem; }
}
"""
