/** GraphQL over schemas of the shapes that people have: all of it is asked as somebody who is signed in. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { askGraphql, graphqlData } from '../harness/graphql.ts'
import { register, startTestPie, type TestPie } from '../harness/pie.ts'
import * as functions from '../harness/shapes/functions.ts'
import * as hundredsOfTables from '../harness/shapes/hundreds-of-tables.ts'
import * as kindsOfTables from '../harness/shapes/kinds-of-tables.ts'
import * as manySchemas from '../harness/shapes/many-schemas.ts'
import * as oddNames from '../harness/shapes/odd-names.ts'

interface Shape {
  schemas: readonly string[]
  sql: string
}

type Ask = (document: string, variables?: Record<string, unknown>) => Promise<unknown>

/** Starts Pie over the shape, with everything in it granted to webuser, and asks as ada. */
async function over(
  { schemas, sql }: Shape,
  work: (ask: Ask, pie: TestPie, token: string) => Promise<void>,
): Promise<void> {
  const names = schemas.map((schema) => `"${schema}"`)
  const pie = await startTestPie({ settings: { GRAPHQL_SCHEMAS: names.join(',') } })
  try {
    await pie.owner.query(sql)
    for (const name of names)
      await pie.owner.query(`
        grant usage on schema ${name} to webuser;
        grant all on all tables in schema ${name} to webuser;
        grant all on all sequences in schema ${name} to webuser`)
    const { access_token: token, user } = await register(pie, 'ada')
    const ask: Ask = (document, variables = {}) => graphqlData(pie, { token, variables }, document)
    assert.deepEqual(await ask('{ me { id } users { nodes { id } } currentUserId }'), {
      me: { id: user.id },
      users: { nodes: [{ id: user.id }] },
      currentUserId: user.id,
    })
    await work(ask, pie, token)
  } finally {
    await pie.close()
  }
}

describe('GraphQL over', () => {
  test('many schemas, with tables of one name in each: the first has the name, the others their schema before it', () =>
    over(manySchemas, async (ask) => {
      assert.deepEqual(
        await ask(`{
          logs { nodes { said status } }
          salesLogs { nodes { said } } crmLogs { nodes { said } }
          catalogUsers { totalCount } salesUsers { totalCount }
          notes { nodes { title } } tenant60Notes { nodes { title } }
          catalogCurrentUserId
        }`).then((data) => ({ ...(data as object), catalogCurrentUserId: undefined })),
        {
          logs: { nodes: [{ said: 'catalog was here', status: 'open' }] },
          salesLogs: { nodes: [{ said: 'sales was here' }] },
          crmLogs: { nodes: [{ said: 'crm was here' }] },
          catalogUsers: { totalCount: 0 },
          salesUsers: { totalCount: 0 },
          notes: { nodes: [{ title: 'of tenant_1' }] },
          tenant60Notes: { nodes: [{ title: 'of tenant_60' }] },
          catalogCurrentUserId: undefined,
        },
      )
      await ask('mutation { createOrder(input: { order: { productId: 1 } }) { order { id } } }')
      await ask(
        'mutation { createBillingOrder(input: { billingOrder: { orderId: 1, amount: "9.50" } }) { billingOrder { id } } }',
      )
      assert.deepEqual(
        await ask(
          '{ orders { nodes { product { name } buyer { id } billingOrderByOrderId { amount } } } }',
        ).then((data) => JSON.stringify(data).replace(/[0-9a-f-]{36}/, 'ada')),
        '{"orders":{"nodes":[{"product":{"name":"an engine"},"buyer":{"id":"ada"},"billingOrderByOrderId":{"amount":"9.50"}}]}}',
      )
    }))

  test('odd names: of columns, tables, labels and the schema itself', () =>
    over(oddNames, async (ask) => {
      assert.deepEqual(
        await ask(`{
          myAppOrders { nodes { id _2024 inProgress inProgress2 } }
          orders { nodes { orderId orderId2 order { id } } }
          myAppUsers { nodes { _typename nodeId2 nodeId3 name } }
          riBens { nodes { mingQian } }
          _212121S { nodes { id } }
          myAppQueries { nodes { query clientMutationId } }
          myAppSubscriptions { nodes { plan } } myAppPoints { nodes { at { x y } } }
          allSheep { totalCount } sheep(id: 2) { name }
          jobs { nodes { state } }
        }`),
        {
          myAppOrders: { nodes: [{ id: 1, _2024: '20.24', inProgress: 7, inProgress2: false }] },
          orders: { nodes: [{ orderId: 1, orderId2: 1, order: { id: 1 } }] },
          myAppUsers: { nodes: [{ _typename: 't', nodeId2: 'i', nodeId3: 'n', name: 'ada' }] },
          riBens: { nodes: [{ mingQian: '花子' }] },
          _212121S: { nodes: [{ id: 1 }] },
          myAppQueries: { nodes: [{ query: 'q', clientMutationId: 'c' }] },
          myAppSubscriptions: { nodes: [{ plan: 'pro' }] },
          myAppPoints: { nodes: [{ at: { x: 1, y: 2 } }] },
          allSheep: { totalCount: 2 },
          sheep: { name: 'polly' },
          jobs: {
            nodes: ['IN_PROGRESS_2', 'IN_PROGRESS_3', 'TRUE', '_EMPTY_', 'ASTERISK'].map(
              (state) => ({
                state,
              }),
            ),
          },
        },
      )
      assert.deepEqual(
        await ask(`mutation {
          createJob(input: { job: { state: IN_PROGRESS_3 } }) { job { state } }
          createMyAppOrder(input: { myAppOrder: { _2024: "3", inProgress2: true, inProgress: 4 } }) { myAppOrder { _2024 inProgress2 inProgress } }
          updateMyAppUser(input: { id: 1, patch: { nodeId3: "changed", _typename: "too" } }) { myAppUser { nodeId3 _typename } }
          createMyAppQuery(input: { myAppQuery: { query: "x", clientMutationId: "y" }, clientMutationId: "z" }) { clientMutationId myAppQuery { clientMutationId } query { sheep(id: 1) { name } } }
        }`),
        {
          createJob: { job: { state: 'IN_PROGRESS_3' } },
          createMyAppOrder: { myAppOrder: { _2024: '3', inProgress2: true, inProgress: 4 } },
          updateMyAppUser: { myAppUser: { nodeId3: 'changed', _typename: 'too' } },
          createMyAppQuery: {
            clientMutationId: 'z',
            myAppQuery: { clientMutationId: 'y' },
            query: { sheep: { name: 'dolly' } },
          },
        },
      )
    }))

  test('hundreds of tables', () =>
    over(hundredsOfTables, async (ask) => {
      assert.deepEqual(
        await ask('{ table2S { nodes { name table1 { name } } } table200S { totalCount } }'),
        {
          table2S: { nodes: [{ name: 'the second', table1: { name: 'the first' } }] },
          table200S: { totalCount: 0 },
        },
      )
    }))

  test('functions of all kinds', () =>
    over(functions, async (ask, pie, token) => {
      assert.deepEqual(
        await ask(`{
          items { nodes { name label itemsName nodeId_2 } }
          apiItem(ofName: "ink") { price } apiMe
          names { nodes } totals { nodes { inProgress inProgress_2 count } }
          unnamed(arg0: 1, arg1: 2) alike(aB: 1, aB_2: 2, aB_3: 3)
          paged(first_2: 2, after_2: "x", first: 1) { nodes { name } }
        }`),
        {
          items: {
            nodes: [
              { name: 'pen', label: 'pen!', itemsName: 'shadow of pen', nodeId_2: 'none' },
              { name: 'ink', label: 'ink!', itemsName: 'shadow of ink', nodeId_2: 'none' },
            ],
          },
          apiItem: { price: '5' },
          apiMe: 'nobody',
          names: { nodes: ['ink', 'pen'] },
          totals: { nodes: [{ inProgress: 1, inProgress_2: '7', count: '2' }] },
          unnamed: 3,
          alike: 123,
          paged: { nodes: [{ name: 'ink' }] },
        },
      )
      const raised = await askGraphql(
        pie,
        { token },
        'mutation { buy(input: { itemId: 1 }) { result } }',
      )
      assert.deepEqual(raised.body.errors[0].extensions, {
        code: 'refused_by_application',
        sqlstate: 'AP001',
        detail: 'None of 40.',
        explanation: 'None of 40.',
        hint: 'Come back tomorrow.',
      })
      assert.deepEqual(
        await ask(
          'mutation { raisePrice(input: { itemId: 1, by: "3" }) { result { price } } apiUpdateUser(input: {}) { result } }',
        ),
        { raisePrice: { result: { price: '5' } }, apiUpdateUser: { result: 'not yours' } },
      )
    }))

  test('enums, domains, ranges, partitions, views and what has no key', () =>
    over(kindsOfTables, async (ask) => {
      assert.deepEqual(
        await ask(`{
          events { nodes { what } } things { nodes { mood moods moody email positive pair { firstOne secondOne } pairs { secondOne } span { start { value } } at { x } tall twice } }
          animals { nodes { name } } dogs { nodes { name breed } } seens { nodes { mood } } counteds { nodes { count column } } fasts { nodes { note } }
        }`),
        {
          events: { nodes: [{ what: 'old' }, { what: 'new' }] },
          things: {
            nodes: [
              {
                mood: 'IN_PROGRESS',
                moods: ['happy', 'IN_PROGRESS'],
                moody: 'sad',
                email: 'a@b',
                positive: 3,
                pair: { firstOne: 1, secondOne: 'two' },
                pairs: [{ secondOne: 'four' }],
                span: { start: { value: 1 } },
                at: { x: 1 },
                tall: '2.5',
                twice: '5.0',
              },
            ],
          },
          animals: { nodes: [{ name: 'rex' }] },
          dogs: { nodes: [{ name: 'rex', breed: 'collie' }] },
          seens: { nodes: [{ mood: 'IN_PROGRESS' }] },
          counteds: { nodes: [{ count: '1', column: 1 }] },
          fasts: { nodes: [{ note: 'x' }] },
        },
      )
    }))
})
