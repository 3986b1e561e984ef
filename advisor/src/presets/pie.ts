import { type Names, noNames } from '../names.ts'
import { isUsedHere } from './postgrest.ts'
import type { Preset } from './preset.ts'

/** What the advisor has to be told of a database with Pie on it. */
export const namesOfPie: Names = {
  ...noNames,
  requestRoles: ['cream', 'webuser', 'webadmin', 'pie_auth'],
  // Each holds the session's proof against its hash. The settings that they read are anybody's to set, and say nothing.
  identityFunctions: [
    'pie_schema.current_user_id',
    'pie_schema.current_session_id',
    'pie_schema.has_role',
    'pie_schema.has_scope',
    'pie_schema.has_permission',
  ],
  // As this one Pie itself works, having checked who asks: clients of SQL are cream.
  trustedRoles: ['pie_auth'],
  hookSchemas: ['pie_hooks'],
  shownRoles: ['cream', 'pie_auth', 'webuser', 'webadmin', 'PUBLIC'],
  note:
    "Where a policy says `current_user_id()`, `has_role()` or another of Pie's helpers, a role sees rows only after\n" +
    'it has proven a session.',
}

export const pie: Preset = {
  title: 'Pie',
  signs: 'the schemas pie_schema and pie_private, and the role cream',
  isOn: (landmarks) =>
    landmarks.schemas.has('pie_schema') &&
    landmarks.schemas.has('pie_private') &&
    isUsedHere(landmarks, 'cream'),
  names: () => namesOfPie,
}
