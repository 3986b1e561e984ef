-- What users may do, in the application's words: roles made of permissions.
create table pie_schema.roles (
  name        text primary key,
  description text not null,
  constraint roles_name_is_a_word check (name ~ '^[a-z][a-z0-9_-]{0,62}$')
);

create table pie_schema.permissions (
  name        text primary key,
  description text not null,
  constraint permissions_name_is_subject_and_verb check (name ~ '^[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*$')
);

create table pie_schema.role_permissions (
  role       text not null references pie_schema.roles (name) on update cascade on delete cascade,
  permission text not null references pie_schema.permissions (name) on update cascade on delete cascade,
  primary key (role, permission)
);
create index role_permissions_permission_idx on pie_schema.role_permissions (permission);

create table pie_schema.user_roles (
  user_id    uuid not null references pie_schema.users (id) on delete cascade,
  role       text not null references pie_schema.roles (name) on update cascade on delete cascade,
  granted_at timestamptz not null default now(),
  primary key (user_id, role)
);
create index user_roles_role_idx on pie_schema.user_roles (role);

insert into pie_schema.roles (name, description) values
  ('viewer', 'Reads what the application shows to its users. Every new user has it.'),
  ('editor', 'Changes what the application lets its users change.'),
  ('admin', 'Manages users and sees every row.');
insert into pie_schema.permissions (name, description) values
  ('users:read', 'See other users.'),
  ('users:write', 'Change other users.'),
  ('roles:read', 'See which user has which role.'),
  ('roles:write', 'Give and take roles.');
insert into pie_schema.role_permissions (role, permission) values
  ('admin', 'users:read'),
  ('admin', 'users:write'),
  ('admin', 'roles:read'),
  ('admin', 'roles:write');

alter table pie_schema.roles enable row level security;
alter table pie_schema.roles force row level security;
alter table pie_schema.permissions enable row level security;
alter table pie_schema.permissions force row level security;
alter table pie_schema.role_permissions enable row level security;
alter table pie_schema.role_permissions force row level security;
alter table pie_schema.user_roles enable row level security;
alter table pie_schema.user_roles force row level security;

-- The owner's own functions work on every row.
create policy roles_for_owner on pie_schema.roles to current_user using (true) with check (true);
create policy permissions_for_owner on pie_schema.permissions to current_user using (true) with check (true);
create policy role_permissions_for_owner on pie_schema.role_permissions to current_user using (true) with check (true);
create policy user_roles_for_owner on pie_schema.user_roles to current_user using (true) with check (true);

comment on table pie_schema.roles is 'A role of the application. Not a database role.';
comment on column pie_schema.roles.name is 'The role''s name, as tokens carry it.';
comment on column pie_schema.roles.description is 'What the role is for, in a sentence.';
comment on table pie_schema.permissions is 'Something a role may do, as `subject:verb`.';
comment on column pie_schema.permissions.name is 'The permission''s name, as tokens carry it.';
comment on column pie_schema.permissions.description is 'What the permission allows, in a sentence.';
comment on table pie_schema.role_permissions is 'Which role has which permission.';
comment on column pie_schema.role_permissions.role is 'The role.';
comment on column pie_schema.role_permissions.permission is 'A permission that the role has.';
comment on table pie_schema.user_roles is 'Which user has which role.';
comment on column pie_schema.user_roles.user_id is 'The user.';
comment on column pie_schema.user_roles.role is 'A role that the user has.';
comment on column pie_schema.user_roles.granted_at is 'When the user was given the role.';
