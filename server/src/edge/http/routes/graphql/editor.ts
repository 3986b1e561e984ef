import type { App } from '../../app.ts'
import { perMinute } from '../../rate-limit.ts'
import { page } from './editor/page.ts'
import { script } from './editor/script.ts'
import { style } from './editor/style.ts'

const files = {
  '/graphql/editor': { type: 'text/html; charset=utf-8', text: page },
  '/graphql/editor.css': { type: 'text/css; charset=utf-8', text: style },
  '/graphql/editor.js': { type: 'text/javascript; charset=utf-8', text: script },
}

/** What it loads from here may run; nothing that stands in the page, and nothing from elsewhere. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "form-action 'none'",
  "base-uri 'none'",
].join(';')

/** `/graphql/editor`: a light editor for GraphQL, in development only. */
export function editorRoutes(app: App): void {
  const route = {
    config: { access: 'open', rateLimit: perMinute(600) },
    schema: { hide: true },
  } as const
  for (const [path, { type, text }] of Object.entries(files)) {
    app.get(path, route, async (_request, reply) =>
      reply
        .header('cache-control', 'no-store')
        .header('content-security-policy', policy)
        .type(type)
        .send(text),
    )
  }
  // Where it was.
  app.get('/ruru', route, async (_request, reply) => reply.redirect('/graphql/editor', 303))
}
