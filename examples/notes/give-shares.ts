import type { SessionTransaction } from '@pie/server'

export interface Share {
  user_id: string
  access: 'read' | 'write'
}

export const sharesSchema = {
  type: 'array',
  maxItems: 100,
  items: {
    type: 'object',
    required: ['user_id', 'access'],
    properties: {
      user_id: { type: 'string', format: 'uuid' },
      access: { enum: ['read', 'write'] },
    },
  },
}

/** Shares a note with some people, in one statement. Whoever is named twice has the greater access. */
export async function giveShares(
  tx: Pick<SessionTransaction, 'query'>,
  noteId: string,
  shares: Share[],
): Promise<void> {
  if (shares.length === 0) return
  await tx.query(
    `insert into notes.shares (note_id, user_id, access)
     select distinct on (user_id) $1::uuid, user_id, access
     from unnest($2::uuid[], $3::text[]) as given (user_id, access)
     order by user_id, access desc
     on conflict (note_id, user_id) do update set access = excluded.access`,
    [noteId, shares.map(({ user_id }) => user_id), shares.map(({ access }) => access)],
  )
}
