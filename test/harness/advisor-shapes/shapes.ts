import { graphileStarter } from './graphile-starter.ts'
import { oddNames, wayRound } from './odd-shapes.ts'
import { pieTeams } from './pie-teams.ts'
import { postgrestApi, postgrestFixtures } from './postgrest-api.ts'
import { rentals, traders } from './sample-databases.ts'
import type { AdvisorShape } from './shape.ts'
import { djangoLike, hasuraLike, railsLike } from './single-owner.ts'
import { supabaseAccounts } from './supabase-accounts.ts'
import { supabaseRooms } from './supabase-rooms.ts'
import { supabaseSlack } from './supabase-slack.ts'
import { supabaseTodos } from './supabase-todos.ts'
import { schemaPerTenant, tenantsByMembership, tenantsBySetting } from './tenants.ts'
import { auditAndHistory, extensions, queue } from './upkeep.ts'

export const advisorShapes: readonly AdvisorShape[] = [
  supabaseTodos,
  supabaseRooms,
  supabaseSlack,
  supabaseAccounts,
  postgrestApi,
  postgrestFixtures,
  graphileStarter,
  pieTeams,
  tenantsBySetting,
  tenantsByMembership,
  schemaPerTenant,
  djangoLike,
  railsLike,
  hasuraLike,
  rentals,
  traders,
  auditAndHistory,
  queue,
  extensions,
  oddNames,
  wayRound,
]
