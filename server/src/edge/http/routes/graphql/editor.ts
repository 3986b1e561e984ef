import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { Refusal } from '../../../../ground/errors.ts'
import type { App } from '../../app.ts'
import { perMinute } from '../../rate-limit.ts'

const STATIC = '/ruru/static/'
const open = { access: 'open', rateLimit: perMinute(600) } as const

/** `/ruru`: an editor for GraphQL, in development only. */
export function ruruRoutes(app: App): void {
  app.get('/ruru', { config: open, schema: { hide: true } }, async (_request, reply) => {
    const { ruruHTML } = await import('postgraphile/grafserv/ruru/server')
    const page = addCsrfToken(ruruHTML({ endpoint: '/graphql', staticPath: STATIC }))
    return careful(reply, page).type('text/html; charset=utf-8').send(page)
  })
  app.get(
    `${STATIC}:file`,
    { config: open, schema: { hide: true, params: Type.Object({ file: Type.String() }) } },
    async ({ params, headers }, reply) => {
      const { getStaticFile } = await import('postgraphile/grafserv/ruru/static')
      const file = await getStaticFile({
        staticPath: STATIC,
        urlPath: `${STATIC}${params.file}`,
        acceptEncoding: headers['accept-encoding'],
      })
      if (file === null) throw new Refusal('not_found')
      return careful(reply, '').headers(file.headers).send(file.content)
    },
  )
}

/** The editor knows nothing of CSRF tokens: whoever is signed in by cookie has one sent along. */
function addCsrfToken(page: string): string {
  const script = `<script>
      const send = fetch
      globalThis.fetch = async (url, options = {}) => {
        const answer = await send('/auth/csrf')
        const token = answer.ok ? (await answer.json()).csrf_token : null
        const headers = new Headers(options.headers)
        if (token !== null && !headers.has('authorization')) headers.set('x-csrf-token', token)
        return send(url, { ...options, headers })
      }
    </script>`
  return page.replace('<head>', `<head>${script}`)
}

/** What stands in the page may run, by its hash, and what it loads from here; nothing else. */
function careful(reply: FastifyReply, page: string): FastifyReply {
  const hashes = [...page.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  )
  return reply.header('cache-control', 'no-store').header(
    'content-security-policy',
    [
      "default-src 'none'",
      `script-src 'self' ${hashes.join(' ')}`,
      "worker-src 'self' blob:",
      // Its editor writes styles as it goes.
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data:",
      "font-src 'self' data:",
      "connect-src 'self'",
      "frame-ancestors 'none'",
      "form-action 'none'",
      "base-uri 'none'",
    ].join(';'),
  )
}
