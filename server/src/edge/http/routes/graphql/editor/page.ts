/** The page of the editor. It has no script and no style in it, so that nothing in a page ever may. */
export const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>GraphQL</title>
    <link rel="stylesheet" href="/graphql/editor.css">
    <script type="module" src="/graphql/editor.js"></script>
  </head>
  <body>
    <header>
      <h1>GraphQL</h1>
      <p id="who" role="status"></p>
      <label>Access token <input id="token" type="password" autocomplete="off" placeholder="or sign in with a cookie"></label>
    </header>
    <main>
      <section class="ask" aria-label="Request">
        <label for="query">Query</label>
        <textarea id="query" spellcheck="false" autocapitalize="off" rows="14"></textarea>
        <label for="variables">Variables, as JSON</label>
        <textarea id="variables" spellcheck="false" autocapitalize="off" rows="4"></textarea>
        <p class="actions">
          <button id="run" type="button">Run</button>
          <label id="choice" hidden>Operation <select id="operation"></select></label>
          <span class="hint">Ctrl-Enter runs. Tab indents; Escape, then Tab moves on.</span>
        </p>
      </section>
      <section class="answer" aria-label="Answer">
        <p id="outcome" role="status"></p>
        <pre id="answer" tabindex="0"></pre>
      </section>
      <nav aria-label="Documentation">
        <label for="search">Search the documentation</label>
        <input id="search" type="search" autocomplete="off">
        <p id="path"></p>
        <div id="documentation"></div>
      </nav>
    </main>
  </body>
</html>
`
