import pg from 'pg'
import type { Ground } from '../../ground/ground.ts'
import type { Policy } from '../../ground/policy.ts'

/** What all nodes have to have alike, by the names of the settings. Durations in seconds. */
export type SharedSettings = Record<string, string | number>

export interface OtherNode {
  id: string
  version: string
  settings: SharedSettings
}

/** @param policy of the service, its sessions and its tokens, as far as it is known */
export function sharedSettings({
  service,
  sessions,
  tokens,
}: Pick<Policy, 'service' | 'sessions'> & Partial<Pick<Policy, 'tokens'>>): SharedSettings {
  return {
    SERVICE_DOMAIN: service.origin,
    SESSION_TTL: sessions.seconds,
    SESSION_RENEW_WINDOW: sessions.renewSeconds,
    SESSION_ABSOLUTE_TTL: sessions.absoluteSeconds,
    CSRF_MODE: sessions.csrfMode,
    ...(tokens !== undefined && {
      ACCESS_TOKEN_TTL: tokens.accessTokenSeconds,
      REFRESH_TOKEN_TTL: tokens.refreshTokenSeconds,
    }),
  }
}

/** Says that this node is there, and returns the others that serve the same database now. */
export async function announceNode(
  { auth }: Pick<Ground, 'auth'>,
  { id, version, settings }: OtherNode,
): Promise<OtherNode[]> {
  const [rows = []] = await auth.send({
    name: 'announce_node',
    text: 'select other_id as id, other_version as version, other_settings as settings from pie_private.announce_node($1, $2, $3)',
    values: [id, version, JSON.stringify(settings)],
  })
  return rows as OtherNode[]
}

/** The nodes that serve this database now, for who is none of them. None where it is one version behind. */
export async function listNodes({ auth }: Pick<Ground, 'auth'>): Promise<OtherNode[]> {
  try {
    const [rows = []] = await auth.send({
      name: 'list_nodes',
      text: 'select id, version, settings from pie_private.list_nodes()',
      values: [],
    })
    return rows as OtherNode[]
  } catch (error) {
    // SQLSTATE 42883: there is no such function.
    if (error instanceof pg.DatabaseError && error.code === '42883') return []
    throw error
  }
}

export async function forgetNode({ auth }: Pick<Ground, 'auth'>, id: string): Promise<void> {
  await auth.send({ name: 'forget_node', text: 'select pie_private.forget_node($1)', values: [id] })
}

/** What two have not alike, of what both have: each a sentence's end, such as `SERVICE_DOMAIN (http://a, there http://b)`. */
export function differences(here: SharedSettings, there: SharedSettings): string[] {
  return Object.entries(here)
    .filter(([name, value]) => there[name] !== undefined && there[name] !== value)
    .map(([name, value]) => `${name} (${value}, there ${there[name]})`)
}
