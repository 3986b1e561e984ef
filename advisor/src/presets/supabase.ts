import { noNames } from '../names.ts'
import { isUsedHere, rolesBehind } from './postgrest.ts'
import type { Preset } from './preset.ts'

/**
 * Supabase: requests come to PostgREST, which logs in as `authenticator` and becomes `anon`, `authenticated` or whatever
 * else a token of the project names. Whoever has the secret key is `service_role`, which is past policies by design, and
 * is asked about by no rule.
 */
export const supabase: Preset = {
  title: 'Supabase',
  signs: 'the roles anon, authenticated and service_role, and auth.uid()',
  isOn: (landmarks) =>
    ofRequests.every((role) => landmarks.roles.has(role)) &&
    ofRequests.some((role) => isUsedHere(landmarks, role)) &&
    landmarks.roles.get('authenticator')?.mayConnect !== false &&
    landmarks.schemas.has('auth') &&
    landmarks.functions.has('auth.uid'),
  names: (landmarks) => {
    const ofProject = rolesBehind(landmarks, 'authenticator').filter(
      (role) => !platformRoles.includes(role),
    )
    const requestRoles = [...new Set(['anon', 'authenticated', ...ofProject])].filter((role) =>
      landmarks.roles.has(role),
    )
    return {
      ...noNames,
      requestRoles,
      identityFunctions: ['auth.uid', 'auth.jwt', 'auth.role', 'auth.email'],
      identitySettings: ['request.jwt.claims', 'request.jwt.claim.'],
      othersSchemas,
      trustedRoles: platformRoles,
      grantedSchemas: ['public'],
      heldPublications: ['supabase_realtime', 'supabase_realtime_messages_publication'],
      shownRoles: [...requestRoles, 'PUBLIC'],
      note:
        'On Supabase a request is `anon` without a token and `authenticated` with one; `auth.uid()` says whose. The secret\n' +
        'key is `service_role`, which no policy holds.',
    }
  },
}

const ofRequests = ['anon', 'authenticated', 'service_role']

/** What Supabase and its services work as: nobody is one of them who has not the secret key, or a password of the platform's. */
const platformRoles = [
  'authenticator',
  'cli_login_postgres',
  'dashboard_user',
  'pgbouncer',
  'pgsodium_keyholder',
  'pgsodium_keyiduser',
  'pgsodium_keymaker',
  'pgtle_admin',
  'postgres',
  'service_role',
  'supabase_admin',
  'supabase_auth_admin',
  'supabase_etl_admin',
  'supabase_functions_admin',
  'supabase_read_only_user',
  'supabase_realtime_admin',
  'supabase_replication_admin',
  'supabase_storage_admin',
]

const othersSchemas = [
  '_analytics',
  '_realtime',
  '_supavisor',
  'auth',
  'cron',
  'extensions',
  'graphql',
  'graphql_public',
  'net',
  'pgbouncer',
  'pgmq',
  'pgmq_public',
  'pgsodium',
  'pgsodium_masks',
  'pgtle',
  'realtime',
  'repack',
  'storage',
  'supabase_functions',
  'supabase_migrations',
  'tiger',
  'tiger_data',
  'topology',
  'vault',
  '_timescaledb_cache',
  '_timescaledb_catalog',
  '_timescaledb_config',
  '_timescaledb_internal',
]
