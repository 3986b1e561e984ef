/** The editor's style. */
export const style = `
:root {
  --ink: #1b1f24; --paper: #ffffff; --shade: #f3f4f6; --line: #767c85; --accent: #0b57d0; --on-accent: #ffffff; --bad: #b3261e;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e7e9ec; --paper: #16181c; --shade: #22262c; --line: #8b929c; --accent: #9ec1ff; --on-accent: #10213f; --bad: #ffb4ab;
  }
}
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: center; padding: 0.75rem 1rem; border-bottom: 1px solid var(--line); }
h1 { margin: 0; font-size: 1.1rem; }
header p { margin: 0; flex: 1; }
main { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 5fr) minmax(0, 4fr); gap: 1rem; padding: 1rem; }
@media (max-width: 60rem) { main { grid-template-columns: minmax(0, 1fr); } }
label { font-weight: 600; }
header label { font-weight: 400; }
textarea, input, select, pre {
  width: 100%; padding: 0.5rem; color: inherit; background: var(--shade); border: 1px solid var(--line); border-radius: 0.25rem;
}
header input, .actions select { width: auto; max-width: 100%; }
textarea, pre { font: 0.875rem/1.5 ui-monospace, monospace; tab-size: 2; }
textarea { display: block; margin-bottom: 0.75rem; resize: vertical; }
pre { min-height: 20rem; margin: 0; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.actions { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; margin: 0; }
.hint { font-size: 0.875rem; }
button { font: inherit; cursor: pointer; }
#run { padding: 0.4rem 1.5rem; color: var(--on-accent); background: var(--accent); border: 0; border-radius: 0.25rem; }
#outcome { margin: 0 0 0.25rem; min-height: 1.5em; font-weight: 600; }
.bad { color: var(--bad); }
nav button { padding: 0; color: var(--accent); background: none; border: 0; font: 0.875rem/1.5 ui-monospace, monospace; text-align: start; }
nav button:hover { text-decoration: underline; }
nav ul { padding: 0; list-style: none; }
nav li { margin-bottom: 0.75rem; overflow-wrap: anywhere; }
nav h2 { margin: 0.5rem 0 0; font-size: 1rem; }
nav p { margin: 0.15rem 0; }
code { font: 0.875rem/1.5 ui-monospace, monospace; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`
