import { Refusal } from '@pie/server'
import type { FastifyInstance } from 'fastify'
import { giveShares, type Share, sharesSchema } from '../give-shares.ts'
import { listNotes, type Page, pageSchema } from '../list-notes.ts'
import { ownerName } from '../owner-name.ts'

interface NewNote {
  title: string
  body?: string
  shares?: Share[]
}
interface Edit {
  title?: string
  body?: string
}

const text = { title: { type: 'string' }, body: { type: 'string' } }
const newNote = {
  type: 'object',
  required: ['title'],
  properties: { ...text, shares: sharesSchema },
}
const edit = { type: 'object', minProperties: 1, properties: text }
const oneNote = { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } }

/** No route asks who may do it. Each asks Postgres for it, as whoever asks: see sql/0001-notes.sql. */
export async function noteRoutes(app: FastifyInstance): Promise<void> {
  app.get<{ Querystring: Page }>(
    '/notes',
    { schema: { querystring: pageSchema } },
    async (request) => listNotes(request, 'mine'),
  )

  // For an admin, these are all there are; for anybody else, what the policies show them: their own list.
  app.get<{ Querystring: Page }>(
    '/admin/notes',
    { schema: { querystring: pageSchema } },
    async (request) => listNotes(request, 'all'),
  )

  // Made and shared in one transaction: if one of its shares cannot be given, there is no note.
  app.post<{ Body: NewNote }>('/notes', { schema: { body: newNote } }, async (request, reply) => {
    const { title, body = '', shares = [] } = request.body
    const note = await request.pie.transaction(async (tx) => {
      const { rows } = await tx.query(
        `insert into notes.notes (title, body) values ($1, $2) returning *, ${ownerName}`,
        [title, body],
      )
      await giveShares(tx, rows[0].id, shares)
      return rows[0]
    })
    return reply.code(201).send(note)
  })

  app.get<{ Params: { id: string } }>(
    '/notes/:id',
    { schema: { params: oneNote } },
    async (request) => {
      const { rows } = await request.pie.query(
        `select *, ${ownerName} from notes.notes where id = $1`,
        [request.params.id],
      )
      return rows[0] ?? refuse('see')
    },
  )

  app.patch<{ Params: { id: string }; Body: Edit }>(
    '/notes/:id',
    { schema: { params: oneNote, body: edit } },
    async (request) => {
      const { title, body } = request.body
      const { rows } = await request.pie.query(
        `update notes.notes set title = coalesce($2, title), body = coalesce($3, body)
         where id = $1 returning *, ${ownerName}`,
        [request.params.id, title, body],
      )
      return rows[0] ?? refuse('change')
    },
  )

  app.delete<{ Params: { id: string } }>(
    '/notes/:id',
    { schema: { params: oneNote } },
    async (request, reply) => {
      const { rowCount } = await request.pie.query('delete from notes.notes where id = $1', [
        request.params.id,
      ])
      return rowCount === 1 ? reply.code(204).send() : refuse('delete')
    },
  )
}

/** A note that is not there and a note of somebody else's are the same to whoever asks. */
function refuse(deed: string): never {
  throw new Refusal('not_found', { detail: `There is no such note that you may ${deed}.` })
}
