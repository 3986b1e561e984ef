import { TYPES } from '@dataplan/pg'

/** What a name is in: two tables may have one name, where one of them is a type and the other a field. */
export type Claim = `${'type' | 'query' | 'mutation' | 'resource' | 'codec'}:${string}`

/** Types that are there whatever is in the database. */
const types =
  'Query Mutation Subscription Node PageInfo Cursor Int Float String Boolean ID BigInt BigFloat Date Datetime Time JSON ' +
  'JSONPath UUID XML BitString Box Circle CidrAddress InternetAddress Interval IntervalInput KeyValueHash Line LineSegment ' +
  'LTree MacAddress MacAddress8 Oid Path Point Polygon BoxInput CircleInput LineInput LineSegmentInput PathInput PointInput ' +
  'PolygonInput RegClass RegConfig RegDictionary RegNamespace RegOper RegOperator RegProc RegProcedure RegRole RegType ' +
  'TSQuery TSVector Base64EncodedBinary Void'

/** Names that are nobody's of the database's, and what has them. */
export function takenNames(): Map<Claim, string> {
  const taken = new Map<Claim, string>()
  for (const name of types.split(' ')) taken.set(`type:${name}`, `GraphQL's own ${name}`)
  for (const { name } of Object.values(TYPES)) taken.set(`codec:${name}`, `Postgres' own ${name}`)
  taken.set('query:me', `Pie's own me`)
  taken.set('query:node', `GraphQL's own node`)
  for (const field of ['query', 'clientMutationId', 'nodeId'])
    taken.set(`query:${field}`, `GraphQL's own ${field}`)
  return taken
}
