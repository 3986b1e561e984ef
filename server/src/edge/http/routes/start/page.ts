/** The style of the page. It is the only thing that the page's policy lets be applied. */
export const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --soft: #59616b; --line: #d5d9de; --accent: #0b57d0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e9ec; --paper: #16181c; --soft: #a6aeb8; --line: #3a4048; --accent: #9ec1ff; }
}
body { margin: 0; color: var(--ink); background: var(--paper); font: 1rem/1.6 system-ui, sans-serif; }
main { max-width: 34rem; margin: 0 auto; padding: 12vh 1.5rem 3rem; }
h1 { margin: 0; font-size: 2.25rem; line-height: 1.2; overflow-wrap: anywhere; }
p { margin: 0.5rem 0 2rem; color: var(--soft); }
ul { margin: 0; padding: 0; list-style: none; border-top: 1px solid var(--line); }
li { border-bottom: 1px solid var(--line); }
a { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; padding: 0.75rem 0; color: var(--accent); text-decoration: none; }
a:hover span { text-decoration: underline; }
a code { color: var(--soft); font: 0.875rem/1.85 ui-monospace, monospace; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
footer { margin-top: 2rem; color: var(--soft); font-size: 0.875rem; }
`

export interface Link {
  path: string
  what: string
}

/** What a person is shown who comes to the address of the service. */
export function startPage(name: string, links: readonly Link[], madeWith: string): string {
  const items = links.map(
    ({ path, what }) =>
      `        <li><a href="${path}"><span>${what}</span> <code>${path}</code></a></li>\n`,
  )
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${escapeHtml(name)}</title>
    <style>${style}</style>
  </head>
  <body>
    <main>
      <h1>${escapeHtml(name)}</h1>
      <p>People sign in here, and applications ask here who somebody is.</p>
      <ul>
${items.join('')}      </ul>
      <footer>${escapeHtml(madeWith)}</footer>
    </main>
  </body>
</html>
`
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => entities[sign] ?? '')
