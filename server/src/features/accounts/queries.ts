import type { Statement } from '../../ground/database/pipeline.ts'

/** Claims the session by itself: for `readAsSession`. */
export const readMe = (sessionId: string, proof: Buffer): Statement => ({
  name: 'read_me',
  text: 'select pie_private.read_me($1, $2) as user',
  values: [sessionId, proof],
})

/** To be run in a request transaction: row-level security shows it the session's own user. */
export const describeMe: Statement = {
  name: 'describe_me',
  text: 'select description as user from pie_schema.user_descriptions where id = (select pie_schema.current_user_id())',
  values: [],
}

export const changeMyName = (name: string | null): Statement => ({
  name: 'change_my_name',
  text: 'update pie_schema.users set name = $1 where id = (select pie_schema.current_user_id()) returning version',
  values: [name],
})
