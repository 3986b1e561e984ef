import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { execute } from 'grafast'
import {
  buildSchema as fromText,
  type GraphQLOutputType,
  type GraphQLSchema,
  getIntrospectionQuery,
  getNamedType,
  graphqlSync,
  isObjectType,
  parse,
} from 'graphql'
import { openPeopledDatabase, type PeopledDatabase } from '../../../../../database/test/people.ts'
import { readAs } from '../schema/adaptor.ts'
import { type BuiltSchema, buildSchema } from '../schema/build-schema.ts'
import { type Measure, measureOperation } from './measure-operation.ts'

let db: PeopledDatabase
let built: BuiltSchema
let run: (query: string, variables?: Record<string, unknown>) => Promise<unknown>
before(async () => {
  db = await openPeopledDatabase()
  await db.owner.query(`
    create schema app; grant usage on schema app to webuser;
    create table app.notes (
      id int primary key generated always as identity,
      owner_id uuid references pie_schema.users, parent_id int references app.notes, title text);
    create index on app.notes (owner_id); create index on app.notes (parent_id);
    grant select on app.notes to webuser;
    insert into app.notes (owner_id, parent_id, title)
      select '${db.ada.id}', case when n > 3 then n % 3 + 1 end, 'note ' || n from generate_series(1, 1200) as n`)
  const requests = db.openRequests(3)
  built = await buildSchema(requests, ['app', 'pie_schema'], 'webuser')
  const { id, proof } = db.ada.session
  run = async (query, variables = {}) => {
    const result = await execute({
      schema: built.schema,
      document: parse(query),
      variableValues: variables,
      contextValue: { withPgClient: readAs(requests, { sessionId: id, proofs: [proof] }) },
      resolvedPreset: built.preset,
      middleware: null,
    })
    assert.ok(!(Symbol.asyncIterator in result))
    assert.equal(result.errors, undefined, JSON.stringify(result.errors))
    return result.data
  }
})
after(() => db.close())

function measure(schema: GraphQLSchema, query: string, variables = {}): Measure {
  const document = parse(query)
  const fragments = new Map(
    document.definitions.flatMap((part) =>
      part.kind === 'FragmentDefinition' ? [[part.name.value, part] as const] : [],
    ),
  )
  const operation = document.definitions.find((part) => part.kind === 'OperationDefinition')
  assert.ok(operation)
  return measureOperation(operation, { schema, fragments, variables })
}

/** How many fields an answer has. */
function countFields(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + countFields(one), 0)
  return Object.values(value).reduce((sum: number, one) => sum + 1 + countFields(one), 0)
}

/** Numbers that look random and are the same each time. */
function createDice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * sides)
  }
}

/** Some of the fields of a type, with pages of some size. */
function makeSelection(
  schema: GraphQLSchema,
  type: GraphQLOutputType,
  depth: number,
  roll: (sides: number) => number,
): string {
  const named = getNamedType(type)
  if (!isObjectType(named)) return ''
  const parts = Object.values(named.getFields()).flatMap((field, index) => {
    const needsArguments = field.args.some(
      ({ type, defaultValue }) => type.toString().endsWith('!') && defaultValue === undefined,
    )
    const isLeaf = !isObjectType(getNamedType(field.type))
    if (needsArguments || (isLeaf && !('name' in getNamedType(field.type)))) return []
    if (!isLeaf && depth === 0) return []
    // Interfaces and what needs more than one word are left to other tests.
    if (getNamedType(field.type).toString() === 'Node' || roll(isLeaf ? 2 : 3) > 0) return []
    const isPaged = field.args.some(({ name }) => name === 'first')
    const page = ['', '(first: 3)', '(last: 2)', '(first: null)', '(first: $n)'][roll(5)] ?? ''
    const inside = isLeaf ? '' : makeSelection(schema, field.type, depth - 1, roll)
    return [`f${index}: ${field.name}${isPaged ? page : ''}${inside}`]
  })
  return ` { __typename ${parts.join(' ')} }`
}

describe('an answer has no more fields than its operation was measured', () => {
  test('for a few hundred that were made up', async () => {
    const roll = createDice(20_261_128)
    const query = built.schema.getQueryType()
    assert.ok(query)
    let pages = 0
    for (let made = 0; made < 300; made += 1) {
      const selection = makeSelection(built.schema, query, 4, roll)
      const isUsed = selection.includes('$n')
      const text = isUsed ? `query ($n: Int = 4)${selection}` : selection
      const { cost } = measure(built.schema, text, isUsed ? { n: 4 } : {})
      if (cost > 20_000) continue
      const count = countFields(await run(text))
      assert.ok(count <= cost, `${count} > ${cost}: ${text}`)
      if (/nodes|edges/.test(text)) pages += 1
    }
    assert.ok(pages > 50, `${pages}`)
  })
})

describe('the plan has no larger pages, whatever has been measured', () => {
  test('by first, last, a default, a null, and for a list', async () => {
    const count = async (text: string, variables = {}): Promise<number> => {
      const data = (await run(text, variables)) as { notes: { nodes: unknown[] } }
      return data.notes.nodes.length
    }
    assert.equal(await count('{ notes(first: 20000) { nodes { id } } }'), 500)
    assert.equal(await count('{ notes(last: 20000) { nodes { id } } }'), 500)
    assert.equal(await count('query ($n: Int = 20000) { notes(last: $n) { nodes { id } } }'), 500)
    assert.equal(
      await count('query ($n: Int) { notes(first: $n) { nodes { id } } }', { n: 9_999 }),
      500,
    )
    assert.equal(await count('{ notes(first: null) { nodes { id } } }'), 50)
    assert.equal(await count('{ notes(last: null) { edges { node { id } } nodes { id } } }'), 50)
    const nested = '{ notes(first: 1) { nodes { notesByParentId(last: 20000) { nodes { id } } } } }'
    const { notes } = (await run(nested)) as {
      notes: { nodes: { notesByParentId: { nodes: unknown[] } }[] }
    }
    assert.equal(notes.nodes[0]?.notesByParentId.nodes.length, 399)
  })
})

describe('what a schema says of itself', () => {
  const small = fromText(`
    "Everything." type Query { one(at: Int = 1, by: [Way!]): One many: [One!]! }
    type One { id: ID! way: Way one(at: Int): One } enum Way { UP DOWN @deprecated }`)

  test('is as much as tools ask for, twice at most', () => {
    const whole = getIntrospectionQuery()
    assert.ok(measure(built.schema, whole))
    assert.ok(
      measure(
        built.schema,
        getIntrospectionQuery({
          inputValueDeprecation: true,
          specifiedByUrl: true,
          schemaDescription: true,
        }),
      ),
    )
    const asked = '__schema { types { fields { name type { fields { name } } } } }'
    const aliases = Array.from({ length: 45 }, (_, index) => `a${index}: ${asked}`)
    assert.throws(() => measure(built.schema, `{ ${aliases.join(' ')} }`), /twice at most/)
    const inner = Array.from({ length: 45 }, (_, index) => `a${index}: fields { name }`)
    const within = `{ __schema { types { fields { type { ${inner.join(' ')} } } } } }`
    assert.throws(() => measure(built.schema, within), /twice at most/)
    const [first, ...definitions] = whole.split(/(?=fragment )/)
    assert.ok(first)
    const thrice = first.replace(/\{([\s\S]*)\}/, '{ x: $1 y: $1 z: $1 }')
    assert.throws(() => measure(built.schema, `${thrice} ${definitions.join('')}`), /twice at most/)
  })

  test('is counted exactly', async () => {
    const { measureIntrospection } = await import('./measure-introspection.ts')
    for (const query of [
      getIntrospectionQuery(),
      '{ __schema { types { name fields { name args { name type { ofType { name } } } } } } }',
      '{ __type(name: "One") { fields { name type { ...on __Type { kind fields { name } } } } enumValues { name } } }',
      '{ __type(name: "Way") { all: enumValues(includeDeprecated: true) { name } enumValues { name } } }',
      '{ __type(name: "Nobody") { name } }',
    ]) {
      const document = parse(query)
      const fragments = new Map(
        document.definitions.flatMap((part) =>
          part.kind === 'FragmentDefinition' ? [[part.name.value, part] as const] : [],
        ),
      )
      const [operation] = document.definitions
      assert.ok(operation?.kind === 'OperationDefinition')
      const [node] = operation.selectionSet.selections
      assert.ok(node?.kind === 'Field')
      const count = measureIntrospection(node, { schema: small, fragments, variables: {} })
      const { data, errors } = graphqlSync({ schema: small, source: query })
      assert.equal(errors, undefined)
      assert.equal(count, countFields(data), query)
    }
  })
})
