import { hash } from 'node:crypto'
import { Refusal } from '../../../../ground/errors.ts'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { startPage, style } from './page.ts'
import { prefersHtml } from './prefers-html.ts'

/** Its own style may be applied, known by its hash; nothing else is loaded, and nothing runs. */
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', style, 'base64')}'`,
  "frame-ancestors 'none'",
  "form-action 'none'",
  "base-uri 'none'",
].join(';')

/** `/`: what this is, for whoever has only its address. A page for a browser, and JSON for anything else. */
export function startRoute(app: App, pie: Pie, version: string): void {
  const { service } = pie.policy
  // Whoever looks for a hole of a version would be told by the first address that they ask.
  const madeWith = service.origin.startsWith('https:') ? 'Pie' : `Pie ${version}`
  const links = [
    { path: '/docs', what: 'Documentation' },
    { path: '/openapi.json', what: 'The same for programs (OpenAPI)' },
    { path: '/health/ready', what: 'Whether it can serve' },
    ...(pie.graphql.hasEditor ? [{ path: '/graphql/editor', what: 'Editor for GraphQL' }] : []),
  ]
  const page = startPage(service.name, links, madeWith)
  const description = {
    name: service.name,
    made_with: madeWith,
    documentation: '/docs',
    openapi: '/openapi.json',
    health: '/health/ready',
    keys: '/.well-known/jwks.json',
    ...(pie.graphql.hasEditor && { graphql: '/graphql', graphql_editor: '/graphql/editor' }),
  }
  app.get(
    '/',
    { config: { access: 'open', rateLimit: perMinute(600) }, schema: { hide: true } },
    async (request, reply) => {
      // Which the router takes for the same (RFC 9112 section 3.2.4).
      if (request.url === '*') throw new Refusal('not_found')
      const vary = [reply.getHeader('vary') ?? [], 'Accept'].flat().join(', ')
      void reply.header('vary', vary).header('cache-control', 'public, max-age=60')
      if (!prefersHtml(request.headers.accept)) return reply.send(description)
      return reply
        .header('content-security-policy', policy)
        .type('text/html; charset=utf-8')
        .send(page)
    },
  )
}
