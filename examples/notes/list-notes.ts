import type { FastifyRequest } from 'fastify'
import { ownerName } from './owner-name.ts'

/** Where a page begins: after this note of the page before. */
export interface Page {
  before?: string
  before_id?: string
}

export const pageSchema = {
  type: 'object',
  properties: {
    before: { type: 'string', format: 'date-time' },
    before_id: { type: 'string', format: 'uuid' },
  },
  dependencies: { before: ['before_id'], before_id: ['before'] },
}

const PAGE_SIZE = 50

const which = {
  // What one may see and what one wants to see are two things: an admin may see everything.
  mine: `(owner_id = (select pie_schema.current_user_id())
          or id = any (array (select notes.shared_with_me('read'))))`,
  all: 'true',
}

/**
 * A page of notes, the newest first, and the address of the next page. A page begins where the last one
 * ended, not at a count of rows: so each costs the same, and none skips a note because another was added.
 */
export async function listNotes(
  request: FastifyRequest<{ Querystring: Page }>,
  of: 'mine' | 'all',
) {
  const { before, before_id } = request.query
  const { rows: notes } = await request.pie.query(
    `select id, owner_id, ${ownerName}, title, created_at, updated_at
     from notes.notes
     where ${which[of]}
       and ($1::timestamptz is null or (created_at, id) < ($1, $2::uuid))
     order by created_at desc, id desc
     limit ${PAGE_SIZE}`,
    [before, before_id],
  )
  const last = notes[PAGE_SIZE - 1]
  const [path] = request.url.split('?')
  const next = last && `${path}?before=${last.created_at.toISOString()}&before_id=${last.id}`
  return { notes, next: next ?? null }
}
