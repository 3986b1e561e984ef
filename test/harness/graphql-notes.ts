/** An application's own schema: notes that belong to their writers, and what holds requests up. */
export const notesSchema = `
  create schema app;
  grant usage on schema app to webuser;
  create table app.notes (
    id bigint primary key generated always as identity,
    owner_id uuid not null default pie_schema.current_user_id() references pie_schema.users on delete cascade,
    title text not null constraint title_is_written check (title <> ''),
    slug text constraint slug_of_somebody unique,
    parent_id bigint references app.notes on delete cascade
  );
  create index on app.notes (owner_id);
  create index on app.notes (parent_id);
  alter table app.notes enable row level security;
  create policy notes_own on app.notes to webuser
    using (owner_id = (select pie_schema.current_user_id()));
  grant select, delete on app.notes to webuser;
  grant insert (owner_id, title, slug, parent_id) on app.notes to webuser;
  grant update (title, slug) on app.notes to webuser;
  create table app.gates (name text primary key);
  alter table app.gates enable row level security;
  create policy gates_all on app.gates to webuser using (true);
  grant select on app.gates to webuser;
  insert into app.gates values ('gate');
  -- Waits as long as somebody holds the gate.
  create function app.wait_at_gate() returns text language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
    as $$ begin perform from app.gates where name = 'gate' for share; return current_user; end $$;
  create function app.who() returns text language sql stable as $$
    select current_user || ' ' || coalesce(current_setting('pie.session_id', true), '') || ' '
      || coalesce(current_setting('app.tenant', true), '') $$;
  create function app.sleep(seconds double precision) returns text language sql volatile as $$ select pg_sleep(seconds)::text $$;
  create function app.leave() returns text language sql volatile as $$
    select set_config('app.tenant', 'left behind', false) || set_config('role', 'webadmin', false) $$;
  create function app.plant(query text) returns text language plpgsql volatile as $$ begin execute query; return 'planted'; end $$;
  create function app.fail(state text) returns text language plpgsql stable as $$
    begin raise exception 'secret words' using errcode = state, detail = 'secret detail', hint = 'secret hint'; end $$;
  create function app.begin_late() returns text language sql stable as $$ select 'late' $$;
  grant execute on all functions in schema app to webuser;
  revoke execute on all functions in schema app from public;
`
