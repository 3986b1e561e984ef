import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../ground/errors.ts'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** @throws Refusal `method_not_allowed` where the address takes another method; else `not_found` */
export function refuseUnknown(
  app: FastifyInstance,
  { url, method }: FastifyRequest,
  reply: FastifyReply,
): never {
  const path = url.split('?', 1)[0] ?? url
  const allowed = methods.filter((other) => app.findRoute({ method: other, url: path }) !== null)
  // Where the route is there but what it serves is not, its own method is among them.
  if (allowed.length === 0 || allowed.some((other) => other === method))
    throw new Refusal('not_found')
  reply.header('allow', allowed.join(', '))
  throw new Refusal('method_not_allowed')
}
