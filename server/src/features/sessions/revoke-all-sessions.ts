import type pg from 'pg'

/** Ends every session, as the operator: one statement, with a line in the audit log for each. Returns how many. */
export async function revokeAllSessions(owner: pg.Client): Promise<number> {
  const { rows } = await owner.query<{ ended: number }>(
    `with ended as (
       update pie_private.sessions set revoked_at = now(), revoked_reason = 'revoked_by_operator'
       where revoked_at is null
       returning id, user_id, successor_id
     ), events as (
       insert into pie_private.audit_log (event, user_id, session_id, detail)
       select 'session.ended', user_id, id, '{"reason": "revoked_by_operator"}' from ended
     )
     select count(*) filter (where successor_id is null)::integer as ended from ended`,
  )
  return rows[0]?.ended ?? 0
}
