import { type AdvisorShape, plainOwner } from './shape.ts'

/** Which tenant is asked for stands in a setting, and every table has its column. */
export const tenantsBySetting: AdvisorShape = {
  name: 'tenants by a setting, app.tenant',
  presets: [],
  owner: 'tenants_owner',
  before: plainOwner('tenants_owner', `create role tenant_app login password 'x';`),
  sql: `
    create schema shop; grant usage on schema shop to tenant_app;
    create table shop.tenants (tenant_id uuid primary key default gen_random_uuid(), name text unique not null, status text check (status in ('active', 'suspended')));
    create table shop.tenant_users (user_id uuid primary key default gen_random_uuid(), tenant_id uuid not null references shop.tenants on delete restrict, email text unique not null);
    create table shop.products (id bigserial primary key, tenant_id uuid not null references shop.tenants, sku text, name text, price numeric(10, 2), unique (tenant_id, sku));
    create table shop.orders (id bigserial, tenant_id uuid not null default current_setting('app.tenant')::uuid references shop.tenants, placed_at timestamptz default now(), primary key (tenant_id, id));
    create table shop.order_lines (
      tenant_id uuid not null default current_setting('app.tenant')::uuid, order_id bigint not null, line int not null,
      product_id bigint references shop.products, quantity int check (quantity > 0), primary key (tenant_id, order_id, line),
      foreign key (tenant_id, order_id) references shop.orders (tenant_id, id) on delete cascade
    );
    create table shop.settings (tenant_id uuid primary key references shop.tenants, data jsonb not null default '{}');
    do $$ declare t text;
    begin
      foreach t in array array['tenants', 'tenant_users', 'products', 'orders', 'order_lines', 'settings'] loop
        execute format('alter table shop.%I enable row level security', t);
        execute format('alter table shop.%I force row level security', t);
        execute format('create policy tenant_isolation on shop.%I using (tenant_id = current_setting(''app.tenant'')::uuid)', t);
        execute format('grant select, insert, update, delete on shop.%I to tenant_app', t);
      end loop;
    end $$;
    grant usage on all sequences in schema shop to tenant_app;
    create view shop.turnover as select o.tenant_id, sum(l.quantity * p.price) as total
      from shop.orders o join shop.order_lines l on (l.tenant_id, l.order_id) = (o.tenant_id, o.id) join shop.products p on p.id = l.product_id group by 1;
    grant select on shop.turnover to tenant_app;`,
}

/** Who belongs where stands in a table of memberships, whose policy asks the table itself. */
export const tenantsByMembership: AdvisorShape = {
  name: 'tenants by a table of memberships, with a policy that asks its own table',
  presets: [],
  owner: 'membership_owner',
  before: plainOwner(
    'membership_owner',
    `create role saas_app login password 'x'; create role saas_admin;`,
  ),
  sql: `
    create schema saas; grant usage on schema saas to saas_app, saas_admin;
    create function saas.me() returns uuid language sql stable as $$ select nullif(current_setting('app.user_id', true), '')::uuid $$;
    create table saas.users (id uuid primary key, email text unique);
    create table saas.orgs (id uuid primary key default gen_random_uuid(), name text not null, plan text default 'free');
    create table saas.members (org_id uuid references saas.orgs on delete cascade, user_id uuid references saas.users on delete cascade, role text, primary key (org_id, user_id));
    create table saas.projects (id uuid primary key default gen_random_uuid(), org_id uuid not null references saas.orgs on delete cascade, name text);
    create table saas.files (id uuid primary key, project_id uuid references saas.projects on delete set null, org_id uuid not null references saas.orgs, size bigint, path text[]);
    create table saas.audit_log (id bigint generated always as identity, org_id uuid, actor uuid, action text, at timestamptz default now());
    alter table saas.users enable row level security; alter table saas.orgs enable row level security; alter table saas.members enable row level security;
    alter table saas.projects enable row level security; alter table saas.files enable row level security; alter table saas.audit_log enable row level security;
    create policy self on saas.users to saas_app using (id = (select saas.me()));
    create policy member on saas.orgs for select to saas_app using (exists (select from saas.members m where m.org_id = orgs.id and m.user_id = saas.me()));
    create policy fellow on saas.members for select to saas_app using (org_id in (select org_id from saas.members where user_id = saas.me()));
    create policy member on saas.projects to saas_app using (exists (select 1 from saas.members m where m.org_id = org_id and m.user_id = saas.me()));
    create policy member on saas.files to saas_app using (org_id in (select m.org_id from saas.members m where m.user_id = saas.me()));
    create policy not_huge on saas.files as restrictive for insert to saas_app with check (size < 1000000000);
    create policy admins on saas.audit_log for select to saas_admin using (true);
    create policy writes on saas.audit_log for insert to saas_app with check (true);
    grant select, insert, update, delete on saas.users, saas.orgs, saas.projects, saas.files to saas_app;
    grant select on saas.members to saas_app;
    grant insert on saas.audit_log to saas_app;
    grant select on saas.audit_log to saas_admin;`,
}

/** A schema for each tenant, made by a function, with a role each. */
export const schemaPerTenant: AdvisorShape = {
  name: 'a schema and a role for each tenant',
  presets: [],
  owner: 'apartment_owner',
  before: plainOwner(
    'apartment_owner',
    `create role tenant_1 login password 'x'; create role tenant_2 login password 'x'; create role tenant_3 login password 'x';
     create role tenants; grant tenants to tenant_1, tenant_2, tenant_3;`,
  ),
  sql: `
    create table public.plans (id int primary key, name text not null unique);
    insert into public.plans values (1, 'free'), (2, 'paid');
    grant select on public.plans to tenants;
    create function public.make_tenant(tenant name) returns void language plpgsql as $$
    begin
      execute format('create schema %I', tenant);
      execute format('grant usage on schema %I to %I', tenant, tenant);
      execute format('create table %I.customers (id serial primary key, name text, plan_id int references public.plans)', tenant);
      execute format('create table %I.invoices (id serial primary key, customer_id int references %I.customers, total numeric, at date default current_date)', tenant, tenant);
      execute format('create index on %I.invoices (customer_id)', tenant);
      execute format('create view %I.totals as select customer_id, sum(total) as total from %I.invoices group by 1', tenant, tenant);
      execute format('grant select, insert, update, delete on all tables in schema %I to %I', tenant, tenant);
      execute format('grant usage, select, update on all sequences in schema %I to %I', tenant, tenant);
      execute format('alter default privileges in schema %I grant all on tables to %I', tenant, tenant);
    end $$;
    select public.make_tenant('tenant_1'), public.make_tenant('tenant_2'), public.make_tenant('tenant_3');`,
}
