import { type AdvisorShape, plainOwner } from './shape.ts'

/** Notes of teams on Pie, by CONTRIBUTING's conventions: forced, narrowly granted, helpers in PL/pgSQL. */
export const pieTeams: AdvisorShape = {
  name: 'Pie: notes of teams, by its guides',
  presets: ['pie'],
  owner: 'pie_owner',
  before: plainOwner('pie_owner'),
  onPie: true,
  gravest: 'style',
  sql: `
    create schema app;
    grant usage on schema app to webuser;
    create table app.teams (id bigint primary key generated always as identity, name text not null);
    create table app.memberships (
      team_id bigint not null references app.teams on delete cascade,
      user_id uuid not null references pie_schema.users on delete cascade,
      role text not null default 'member' check (role in ('member', 'admin')), primary key (team_id, user_id)
    );
    create index on app.memberships (user_id);
    create function app.team_ids() returns setof bigint language plpgsql stable security definer
      set search_path = pg_catalog, pg_temp as $$
      begin return query select m.team_id from app.memberships as m where m.user_id = (select pie_schema.current_user_id()); end $$;
    revoke execute on function app.team_ids() from public;
    grant execute on function app.team_ids() to webuser;

    alter table app.teams enable row level security, force row level security;
    create policy teams_for_owner on app.teams to pie_owner using (true) with check (true);
    create policy teams_of_members on app.teams for select to webuser using (id in (select app.team_ids()));
    grant select on app.teams to webuser;
    alter table app.memberships enable row level security, force row level security;
    create policy memberships_for_owner on app.memberships to pie_owner using (true) with check (true);
    create policy memberships_own on app.memberships for select to webuser using (user_id = (select pie_schema.current_user_id()));
    create policy memberships_of_team on app.memberships for select to webuser using (team_id in (select app.team_ids()));
    grant select on app.memberships to webuser;

    create table app.notes (
      id bigint primary key generated always as identity, team_id bigint not null references app.teams on delete cascade,
      author uuid not null default pie_schema.current_user_id() references pie_schema.users on delete cascade,
      title text not null, body text not null default '', created_at timestamptz not null default now()
    );
    create index on app.notes (team_id);
    create index on app.notes (author);
    alter table app.notes enable row level security, force row level security;
    create policy notes_for_owner on app.notes to pie_owner using (true) with check (true);
    create policy notes_of_team on app.notes for select to webuser using (team_id in (select app.team_ids()));
    create policy notes_written on app.notes for insert to webuser
      with check (author = (select pie_schema.current_user_id()) and team_id in (select app.team_ids()));
    create policy notes_changed on app.notes for update to webuser
      using (author = (select pie_schema.current_user_id())) with check (author = (select pie_schema.current_user_id()));
    create policy notes_deleted on app.notes for delete to webuser using (author = (select pie_schema.current_user_id()));
    grant select, delete on app.notes to webuser;
    grant insert (team_id, title, body), update (title, body) on app.notes to webuser;
    create view app.titles with (security_invoker = on) as select id, team_id, title from app.notes;
    grant select on app.titles to webuser;`,
}
