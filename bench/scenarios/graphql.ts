import { formatRequest } from '../load/http-request.ts'
import type { Exchange } from '../load/run-load.ts'
import { takeTurns } from '../load/take-turns.ts'
import type { Measurement } from '../measurement.ts'
import type { Options } from '../options.ts'
import { type TokenSession, usersMeExchange } from '../stage/pie-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'
import { compareServers } from './compare-servers.ts'

/** What `GET /users/me` answers with, but for permissions. */
const DOCUMENT = `query Me {
  me {
    id
    name
    createdAt
    updatedAt
    userEmails(first: 1) { nodes { email isVerified } }
    userRoles(first: 10) { nodes { role } }
  }
}`

/** A query of oneself by GraphQL, beside the same by REST: `GET /users/me` of the same Pie. */
export async function measureGraphql(stage: Stage, options: Options): Promise<Measurement[]> {
  const nextSession = takeTurns(stage.sessions)
  const compared = await compareServers(
    { scenario: 'graphql', aim: '≥ 0.4' },
    { floor: stage.pie, pie: stage.pie },
    options,
    {
      onFloor: () => usersMeExchange(nextSession()),
      onPie: () => meExchange(nextSession()),
    },
  )
  return [compared]
}

function meExchange(session: TokenSession): Exchange {
  const body = { query: DOCUMENT }
  return {
    request: formatRequest({ method: 'POST', path: '/graphql', token: session.accessToken, body }),
    check: ({ status, body }) => {
      const me = status === 200 ? JSON.parse(body).data?.me : null
      const isRight =
        me?.id === session.userId &&
        me.userEmails.nodes[0]?.email === session.email &&
        me.userRoles.nodes[0]?.role === 'viewer'
      if (!isRight) throw new Error(`POST /graphql answered ${status}: ${body}`)
    },
  }
}
