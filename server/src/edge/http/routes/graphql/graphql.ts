import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { User } from '../../../../features/accounts/user.ts'
import { findSession } from '../../../../features/sessions/find-session.ts'
import { createShares, takeBoth } from '../../../../ground/database/share.ts'
import { OperatorError, Refusal } from '../../../../ground/errors.ts'
import { loadOptional } from '../../../../ground/load-optional.ts'
import { graphqlPackages } from '../../../graphql/graphql-packages.ts'
import type { Graphql } from '../../../graphql/open-graphql.ts'
import type { Asker, Outcome } from '../../../graphql/operation/run-operation.ts'
import type { DatabaseRole } from '../../../graphql/settings.ts'
import { forbidSharedCaches } from '../../../request/session-cookie.ts'
import type { App } from '../../app.ts'
import { createCounts } from '../../count-here.ts'
import { createLoopTimes } from '../../loop-time.ts'
import type { Pie } from '../../pie.ts'
import { networkOfRequest, perMinute, refuseFor } from '../../rate-limit.ts'
import { actorOf, credentialOf } from '../../request-actor.ts'
import { problems } from '../../shapes.ts'

const Body = Type.Object(
  {
    query: Type.String({ minLength: 1, maxLength: 60_000, description: 'A GraphQL document.' }),
    variables: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])),
    operationName: Type.Optional(
      Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Null()]),
    ),
    // What clients say of themselves; nothing is made of it.
    extensions: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: false },
)

/** What one user, from one network, may ask for in a minute, in operations of the largest cost. */
const LARGEST_PER_MINUTE = 60

/**
 * How long one user's documents may keep the event loop of this process in each minute: reading, planning and writing, which no
 * count of fields foresees. Some 15 percent of it, and from one network 10.
 */
const USER_MS_PER_MINUTE = 9_000
const NETWORK_MS_PER_MINUTE = 6_000

/** Users whose operations one process counts at once. */
const MOST_USERS_COUNTED = 20_000

/** `POST /graphql` (GraphQL over HTTP): one operation, as the user of the session. */
export function graphqlRoute(app: App, pie: Pie, rateLimitScale: number): void {
  let opening: Promise<Graphql> | null = null
  const countHere = createCounts(MOST_USERS_COUNTED)
  const mostFields = LARGEST_PER_MINUTE * pie.graphql.maxCost * rateLimitScale
  const timeOf = createLoopTimes({
    userMs: USER_MS_PER_MINUTE * rateLimitScale,
    networkMs: NETWORK_MS_PER_MINUTE * rateLimitScale,
  })
  const connections = pie.requests.pool.options.max
  const shareOfUser = createShares(Math.ceil(connections / 2))
  // Whoever has somebody's session elsewhere does not take all that is theirs.
  const shareOfNetwork = createShares(Math.max(1, Math.floor(connections / 4)))
  const askerOf = (userId: string, request: FastifyRequest): Asker => {
    const network = networkOfRequest(request)
    const name = `${userId} ${network}`
    return {
      ...timeOf(userId, network),
      spend: (cost) => {
        const { current, ttl } = countHere(name, 60_000, cost)
        if (current > mostFields) throw refuseFor(ttl)
      },
      takeShare: takeBoth(shareOfNetwork(name), shareOfUser(userId)),
    }
  }
  const open = () =>
    loadOptional(graphqlPackages, async () => {
      const { openGraphql } = await import('../../../graphql/open-graphql.ts')
      return openGraphql(pie, pie.graphql)
    }).catch((error) => {
      throw error instanceof OperatorError ? refuseUninstalled(pie, error) : error
    })
  // Where an application has something to show, what is wrong with it is told before anybody asks.
  if (pie.graphql.schemas.length > 0)
    app.addHook('onListen', async () => {
      opening ??= open()
      void opening
        .then(({ prepare }) => prepare())
        .catch((error) => pie.log.error({ err: error }, 'GraphQL could not be prepared'))
    })
  app.post(
    '/graphql',
    {
      // A form may be sent by a page of another site, and every value of it is text.
      config: { form: false, sessionLimit: perMinute(600) },
      schema: {
        operationId: 'runGraphql',
        summary: 'GraphQL',
        description:
          'One query or mutation. A mutation is one transaction: of all its fields everything is kept, or nothing.',
        tags: ['graphql'],
        body: Body,
        response: {
          200: Type.Object({
            data: Type.Unknown(),
            errors: Type.Optional(Type.Array(Type.Unknown())),
          }),
          ...problems(400, 401, 403, 413, 415, 429, 501, 503),
        },
      },
    },
    async (request, reply) => {
      const { query, variables, operationName } = request.body
      const { id, roles } = await findUser(pie, request)
      opening ??= open()
      const { answer } = await opening
      const outcome = await answer(
        roleOf(roles),
        credentialOf(pie, request),
        askerOf(id, request),
        {
          query,
          variables: variables ?? {},
          operationName: operationName ?? null,
        },
      )
      if (outcome.hasChanged) await pie.catchUp()
      return send(reply, request, outcome)
    },
  )
}

/** The log says what to install; so does the answer, where somebody develops. */
function refuseUninstalled({ graphql }: Pie, missing: OperatorError): Refusal {
  const told = graphql.hasEditor ? { detail: missing.message } : {}
  return new Refusal('not_installed', { ...told, cause: missing })
}

async function findUser(pie: Pie, request: FastifyRequest): Promise<User> {
  const { session, sessionId } = actorOf(request)
  const found = session ?? (await findSession(pie, sessionId))
  if (found === null || found.isExpired) throw new Refusal('unauthenticated')
  return found.user
}

/** Which schema somebody is shown. What they may do in it, Postgres says. */
const roleOf = (roles: readonly string[]): DatabaseRole =>
  roles.includes('admin') ? 'webadmin' : 'webuser'

const GRAPHQL_RESPONSE = 'application/graphql-response+json'

function send(
  reply: FastifyReply,
  { headers }: FastifyRequest,
  { data, errors }: Outcome,
): FastifyReply {
  const isAsked = headers.accept?.includes(GRAPHQL_RESPONSE) === true
  const told = errors.length === 0 ? '' : `"errors":${JSON.stringify(errors)},`
  forbidSharedCaches(reply)
  return reply
    .type(`${isAsked ? GRAPHQL_RESPONSE : 'application/json'}; charset=utf-8`)
    .send(`{${told}"data":${data}}`)
}
