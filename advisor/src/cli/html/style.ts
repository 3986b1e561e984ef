/** How the page looks, by day and by night, on a wide screen and on a narrow one. */
export const style = `
:root { color-scheme: light dark;
  --paper: light-dark(#fff, #14161a); --ink: light-dark(#1b1f24, #e4e7eb); --faint: light-dark(#59636e, #9aa4af);
  --line: light-dark(#d7dce1, #2e343b); --raised: light-dark(#f5f7f9, #1c2026);
  --all: light-dark(#ffd9d3, #5c1f18); --all-ink: light-dark(#82160a, #ffc9c1);
  --some: light-dark(#fdeebf, #4a3a0c); --some-ink: light-dark(#5f4700, #f6dd8f);
  --no: light-dark(#dff0e3, #17381f); --no-ink: light-dark(#12512a, #a9dfb9);
  --void: light-dark(#e8eaed, #2b3036); --void-ink: light-dark(#59636e, #a6b0ba); }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 100rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
p { max-width: 48rem; margin: .4rem 0; } code, pre { font: .86em/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
.faint { color: var(--faint); } .beware { border-left: 4px solid var(--all-ink); padding: .3rem .8rem; background: var(--all); color: var(--all-ink); }
.legend { display: flex; flex-wrap: wrap; gap: .4rem 1rem; padding: 0; margin: .8rem 0; list-style: none; }
.bar { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin: .75rem 0; }
.bar[hidden] { display: none; }
.bar input[type=search] { font: inherit; padding: .35rem .6rem; min-width: min(20rem, 100%); border: 1px solid var(--line); border-radius: 6px; background: var(--paper); color: inherit; }
.scroll { border: 1px solid var(--line); border-radius: 8px; }
.scroll.few { width: fit-content; min-width: 100%; }
.scroll.many { overflow: auto; max-height: 90vh; }
.scroll.many::after { content: ''; display: block; position: sticky; bottom: 0; left: 0; height: 2.5rem; z-index: 4; pointer-events: none; background: linear-gradient(transparent, var(--raised)); }
table { border-collapse: separate; border-spacing: 0; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { position: sticky; top: 0; background: var(--raised); z-index: 2; white-space: nowrap; }
tbody th { position: sticky; left: 0; background: var(--raised); z-index: 1; font-weight: 500; min-width: 12rem; max-width: 20rem; overflow-wrap: anywhere; }
thead th:first-child { left: 0; z-index: 3; }
th small { display: block; font-weight: 400; color: var(--faint); }
th small.loud { color: var(--all-ink); font-weight: 600; }
.many thead th:not(:first-child) { writing-mode: vertical-rl; max-height: 12rem; padding: .6rem .3rem; }
details > summary { cursor: pointer; list-style: none; display: inline-flex; flex-wrap: wrap; gap: .25rem; border-radius: 6px; }
summary::-webkit-details-marker { display: none; }
summary:focus-visible { outline: 2px solid var(--some-ink); outline-offset: 2px; }
th details > summary { display: list-item; list-style: disclosure-closed inside; color: var(--faint); font-weight: 400; font-size: .86em; }
th details[open] > summary { list-style-type: disclosure-open; }
td details[open] { min-width: 20rem; }
.chip { display: inline-flex; gap: .3em; align-items: baseline; padding: 0 .45em; border-radius: 5px; font-size: .85em; line-height: 1.6; white-space: nowrap; }
.all { background: var(--all); color: var(--all-ink); } .some { background: var(--some); color: var(--some-ink); }

.quiet { border: 1px solid var(--line); color: var(--faint); }
.no { background: var(--no); color: var(--no-ink); } .void { background: var(--void); color: var(--void-ink); text-decoration: line-through; }
.legend .void { text-decoration: none; }
dl { margin: .5rem 0 0; } dt { font-weight: 600; font-size: .88em; margin-top: .4rem; } dd { margin: 0; }
dd code { display: block; padding: .15rem 0; } ul.plain { padding-left: 1.1rem; margin: .3rem 0; }
@media (max-width: 640px) {
  body { padding: 1rem; } .scroll, .scroll.many { overflow: visible; max-height: none; border: 0; } .scroll.few { width: auto; min-width: 0; } .scroll.many::after { display: none; }
  table, tbody, tr, th, td { display: block; } thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { border: 1px solid var(--line); border-radius: 8px; margin: .6rem 0; overflow: hidden; }
  tr[hidden] { display: none; } tbody th { position: static; max-width: none; }
  td:empty { display: none; } td::before { content: attr(data-role); display: block; font-size: .8em; color: var(--faint); }
  td details[open] { min-width: 0; } tbody tr:last-child > * { border-bottom: 1px solid var(--line); } tr > :last-child { border-bottom: 0 !important; } }
@media print { .bar, .scroll.many::after { display: none; } .scroll.many { max-height: none; overflow: visible; } }
`

/** Leaves only rows that hold the words, and of which anybody reaches all rows. The page says the same without it. */
export const script = `
const bar = document.querySelector('.bar'); const [words, open] = bar.querySelectorAll('input'); bar.hidden = false
const rows = [...document.querySelectorAll('tbody tr')].map((row) => [row, row.dataset.names, 'open' in row.dataset])
const count = bar.querySelector('output')
function look() {
  const wanted = words.value.toLowerCase().split(' ').filter(Boolean); let shown = 0
  for (const [row, names, isOpen] of rows) {
    row.hidden = !wanted.every((word) => names.includes(word)) || (open.checked && !isOpen)
    if (!row.hidden) shown += 1
  }
  count.textContent = shown + ' of ' + rows.length
}
words.addEventListener('input', look); open.addEventListener('change', look); look()
`
