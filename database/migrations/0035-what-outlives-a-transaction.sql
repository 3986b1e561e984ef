-- compatible: nodes of the version before go on.
-- What SQL that got in through a hole may leave behind for others, when its transaction is over (decision 30).

-- Any role may say `drop owned by` of itself. It owns nothing; but every policy that is for it alone is dropped with the rest,
-- Pie's and the application's, and nobody may be forbidden to say it. Postgres gives up all of it, though, at the first thing
-- on which the role has rights and no single one that a column could have, as here: it wants to take from each column what is
-- not there. The owner, who may take rights away, is not kept from it.
create sequence pie_private.policies_stay;
grant usage on sequence pie_private.policies_stay to webuser, webadmin;
comment on sequence pie_private.policies_stay is 'Gives no numbers. Granted so that requests cannot drop policies with `drop owned by`.';

-- As in 0006, but that a cursor which an earlier request has left open is found as well, and advisory locks are let go.
create or replace function pie_private.authenticate(session_id uuid, proof bytea) returns uuid
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  -- What SQL has prepared, made temporary or kept open on this connection was left by an earlier request, for this one.
  if pg_my_temp_schema() <> 0 or exists (select from pg_prepared_statements where from_sql)
    or exists (select from pg_cursors where is_holdable) then
    raise exception 'this connection is not clean' using errcode = 'PI001';
  end if;
  perform pg_advisory_unlock_all();
  return pie_private.take_session(session_id, proof);
end
$$;
