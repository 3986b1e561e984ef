import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../ground/errors.ts'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

interface KnownRoute {
  methods: readonly string[]
  path: RegExp
}

/**
 * What is found nowhere is `method_not_allowed` where the address takes another method, with those that it takes; else
 * `not_found`. To be called before there are routes.
 */
export function refuseUnknown(app: FastifyInstance): void {
  const routes: KnownRoute[] = []
  app.addHook('onRoute', ({ method, url }) => {
    routes.push({ methods: [method].flat(), path: pathOf(url) })
  })
  // Before any of the body: it is nobody's. Fastify would first ask some methods, such as QUERY, for its type.
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (!request.is404) return done()
    // Of the server, and not of an address (RFC 9110 section 9.3.7).
    if (request.method === 'OPTIONS' && request.url === '*')
      return void reply.code(204).header('allow', methods.join(', ')).send()
    done(fault(routes, request, reply))
  })
  app.setNotFoundHandler((request, reply) => {
    throw fault(routes, request, reply)
  })
}

function fault(
  routes: readonly KnownRoute[],
  { url, method }: FastifyRequest,
  reply: FastifyReply,
): Refusal {
  const path = readPath(url)
  const found = routes.filter((route) => route.path.test(path))
  const allowed = methods.filter((other) => found.some((route) => route.methods.includes(other)))
  // Where the route is there but what it serves is not, its own method is among them.
  if (allowed.length === 0 || allowed.some((other) => other === method))
    return new Refusal('not_found')
  reply.header('allow', allowed.join(', '))
  return new Refusal('method_not_allowed')
}

/** Of a route's address, `/auth/sessions/:id`. */
const pathOf = (url: string): RegExp =>
  new RegExp(
    `^${url.replace(/[.+?^${}()|[\]\\]|:\w+|\*/g, (part) => {
      if (part === '*') return '.*'
      return part.startsWith(':') ? '[^/]*' : `\\${part}`
    })}$`,
  )

/** A request may name the whole address (RFC 9112 section 3.2.2), and write letters of it as numbers. */
function readPath(url: string): string {
  const [path = ''] = url.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split(/[?#]/, 1)
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}
