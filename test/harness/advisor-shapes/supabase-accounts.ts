import type { AdvisorShape } from './shape.ts'
import { supabaseBefore, supabaseOwner } from './supabase-ground.ts'

/** Accounts of persons and teams, with a schema for what the API does not show, invitations and billing. */
export const supabaseAccounts: AdvisorShape = {
  name: 'Supabase: team accounts, invitations, billing',
  presets: ['supabase'],
  owner: supabaseOwner,
  before: supabaseBefore,
  sql: `
    create schema tenancy;
    grant usage on schema tenancy to authenticated, service_role;
    alter default privileges in schema tenancy revoke execute on functions from public;
    alter default privileges revoke execute on functions from public;
    create type tenancy.account_role as enum ('owner', 'member');
    create type tenancy.invitation_type as enum ('one_time', '24_hour');
    create table tenancy.config (enable_team_accounts boolean default true, billing_provider text default 'stripe');
    insert into tenancy.config default values;
    grant select on tenancy.config to authenticated, service_role;
    alter table tenancy.config enable row level security;
    create policy "settings can be read by authenticated users" on tenancy.config for select to authenticated using (true);
    create function tenancy.is_set(field_name text) returns boolean language plpgsql as $$
      declare result boolean;
      begin
        execute format('select %I from tenancy.config limit 1', field_name) into result;
        return result;
      end $$;
    grant execute on function tenancy.is_set to authenticated;

    create table tenancy.accounts (
      id uuid unique not null default gen_random_uuid(), primary_owner_user_id uuid references auth.users not null default auth.uid(),
      name text, slug text unique, personal_account boolean default false not null, updated_at timestamptz, created_at timestamptz,
      created_by uuid references auth.users, updated_by uuid references auth.users,
      private_metadata jsonb default '{}', public_metadata jsonb default '{}', primary key (id),
      constraint slug_unless_personal check (personal_account and slug is null or not personal_account and slug is not null)
    );
    create table tenancy.account_user (
      user_id uuid references auth.users on delete cascade not null, account_id uuid references tenancy.accounts on delete cascade not null,
      account_role tenancy.account_role not null, primary key (user_id, account_id)
    );
    grant select, insert, update, delete on tenancy.accounts, tenancy.account_user to authenticated, service_role;
    alter table tenancy.accounts enable row level security;
    alter table tenancy.account_user enable row level security;

    create function tenancy.has_role_on_account(account_id uuid, account_role tenancy.account_role default null) returns boolean
      language sql security definer set search_path = public as $$
      select exists (
        select 1 from tenancy.account_user wu
        where wu.user_id = auth.uid() and wu.account_id = has_role_on_account.account_id
          and (wu.account_role = has_role_on_account.account_role or has_role_on_account.account_role is null)) $$;
    grant execute on function tenancy.has_role_on_account(uuid, tenancy.account_role) to authenticated, anon, public, service_role;
    create function tenancy.get_accounts_with_role(passed_in_role tenancy.account_role default null) returns setof uuid
      language sql security definer set search_path = public as $$
      select account_id from tenancy.account_user wu
      where wu.user_id = auth.uid() and (wu.account_role = passed_in_role or passed_in_role is null) $$;
    grant execute on function tenancy.get_accounts_with_role(tenancy.account_role) to authenticated;

    create policy "users can view their own account_users" on tenancy.account_user for select to authenticated using (user_id = auth.uid());
    create policy "users can view their teammates" on tenancy.account_user for select to authenticated
      using (tenancy.has_role_on_account(account_id) = true);
    create policy "Account users can be deleted by owners except primary account owner" on tenancy.account_user for delete to authenticated
      using (tenancy.has_role_on_account(account_id, 'owner') = true
        and user_id != (select primary_owner_user_id from tenancy.accounts where account_id = accounts.id));
    create policy "Accounts are viewable by members" on tenancy.accounts for select to authenticated
      using (tenancy.has_role_on_account(id) = true);
    create policy "Accounts are viewable by primary owner" on tenancy.accounts for select to authenticated
      using (primary_owner_user_id = auth.uid());
    create policy "Team accounts can be created by any user" on tenancy.accounts for insert to authenticated
      with check (tenancy.is_set('enable_team_accounts') = true and personal_account = false);
    create policy "Accounts can be edited by owners" on tenancy.accounts for update to authenticated
      using (tenancy.has_role_on_account(id, 'owner') = true);

    create function tenancy.protect_account_fields() returns trigger language plpgsql as $$
    begin
      if current_user in ('authenticated', 'anon') then
        if new.id <> old.id or new.personal_account <> old.personal_account then
          raise exception 'You do not have permission to update this field';
        end if;
      end if;
      return new;
    end $$;
    create trigger protect_account_fields before update on tenancy.accounts for each row execute function tenancy.protect_account_fields();
    create function tenancy.add_current_user_to_new_account() returns trigger language plpgsql security definer set search_path = public as $$
    begin
      if new.primary_owner_user_id = auth.uid() then
        insert into tenancy.account_user (account_id, user_id, account_role) values (new.id, auth.uid(), 'owner');
      end if;
      return new;
    end $$;
    create trigger add_current_user after insert on tenancy.accounts for each row execute function tenancy.add_current_user_to_new_account();

    create table tenancy.invitations (
      id uuid unique not null default gen_random_uuid() primary key, account_role tenancy.account_role not null,
      account_id uuid references tenancy.accounts (id) on delete cascade not null, token text unique not null default md5(random()::text),
      invited_by_user_id uuid references auth.users not null, created_at timestamptz, invitation_type tenancy.invitation_type not null
    );
    grant select, insert, update, delete on tenancy.invitations to authenticated, service_role;
    alter table tenancy.invitations enable row level security;
    create policy "Invitations viewable by account owners" on tenancy.invitations for select to authenticated
      using (created_at > now() - interval '24 hours' and tenancy.has_role_on_account(account_id, 'owner') = true);
    create policy "Invitations can be created by account owners" on tenancy.invitations for insert to authenticated
      with check (tenancy.is_set('enable_team_accounts') = true
        and (select personal_account from tenancy.accounts where id = account_id) = false
        and tenancy.has_role_on_account(account_id, 'owner') = true);
    create function public.lookup_invitation(lookup_invitation_token text) returns json language plpgsql security definer
      set search_path = public, tenancy as $$
      declare name text; invitation_active boolean;
      begin
        select a.name, case when i.id is not null then true else false end into name, invitation_active
        from tenancy.invitations i join tenancy.accounts a on a.id = i.account_id
        where i.token = lookup_invitation_token and i.created_at > now() - interval '24 hours' limit 1;
        return json_build_object('active', coalesce(invitation_active, false), 'account_name', name);
      end $$;
    grant execute on function public.lookup_invitation(text) to authenticated;

    create table tenancy.billing_customers (
      account_id uuid references tenancy.accounts (id) on delete cascade not null, id text primary key, email text, active boolean, provider text
    );
    create table tenancy.billing_subscriptions (
      id text primary key, account_id uuid references tenancy.accounts (id) on delete cascade not null,
      billing_customer_id text references tenancy.billing_customers (id) on delete cascade not null, metadata jsonb, price_id text, quantity integer
    );
    grant select, insert, update, delete on tenancy.billing_customers, tenancy.billing_subscriptions to service_role;
    grant select on tenancy.billing_customers, tenancy.billing_subscriptions to authenticated;
    alter table tenancy.billing_customers enable row level security;
    alter table tenancy.billing_subscriptions enable row level security;
    create policy "Can only view own billing customer data." on tenancy.billing_customers for select using (tenancy.has_role_on_account(account_id) = true);
    create policy "Can only view own billing subscription data." on tenancy.billing_subscriptions for select
      using (tenancy.has_role_on_account(account_id) = true);`,
}
