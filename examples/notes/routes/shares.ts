import { Refusal } from '@pie/server'
import type { FastifyInstance } from 'fastify'
import { giveShares, type Share } from '../give-shares.ts'

const uuid = { type: 'string', format: 'uuid' }
const oneNote = { type: 'object', properties: { id: uuid } }
const oneShare = { type: 'object', properties: { id: uuid, user_id: uuid } }
const access = {
  type: 'object',
  required: ['access'],
  properties: { access: { enum: ['read', 'write'] } },
}

/** With whom a note is shared. People tell each other their id, which `GET /users/me` shows them. */
export async function shareRoutes(app: FastifyInstance): Promise<void> {
  app.get<{ Params: { id: string } }>(
    '/notes/:id/shares',
    { schema: { params: oneNote } },
    async (request) => {
      const { rows: shares } = await request.pie.query(
        'select user_id, access from notes.shares where note_id = $1 order by user_id',
        [request.params.id],
      )
      return { shares }
    },
  )

  app.put<{ Params: { id: string; user_id: string }; Body: Pick<Share, 'access'> }>(
    '/notes/:id/shares/:user_id',
    { schema: { params: oneShare, body: access } },
    async (request, reply) => {
      const { id, user_id } = request.params
      await giveShares(request.pie, id, [{ user_id, access: request.body.access }])
      return reply.code(204).send()
    },
  )

  // By the note's owner, who takes it back, or by whoever it is for, who has no more use for it.
  app.delete<{ Params: { id: string; user_id: string } }>(
    '/notes/:id/shares/:user_id',
    { schema: { params: oneShare } },
    async (request, reply) => {
      const { rowCount } = await request.pie.query(
        'delete from notes.shares where note_id = $1 and user_id = $2',
        [request.params.id, request.params.user_id],
      )
      if (rowCount !== 1)
        throw new Refusal('not_found', { detail: 'There is no such share that you may end.' })
      return reply.code(204).send()
    },
  )
}
