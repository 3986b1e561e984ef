import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findWhatFails, type LeftOut } from './find-what-fails.ts'
import type { Unit } from './unit.ts'

const units: Unit[] = Array.from({ length: 100 }, (_, index) => ({
  oid: `${index}`,
  object: `table app.t${index}`,
  isTagged: index % 4 === 0,
}))

const countingBuilds = (build: (leftOut: LeftOut) => string) => {
  const counted = { builds: 0, build: async (leftOut: LeftOut) => build(leftOut) }
  const { build: whole } = counted
  counted.build = (leftOut) => {
    counted.builds += 1
    return whole(leftOut)
  }
  return counted
}

test('what an error names is left out at once, its comment before it, however many there are', async () => {
  const counted = countingBuilds(({ tags, objects }) => {
    const bad = units.find(
      ({ oid, isTagged }) =>
        Number(oid) % 5 === 0 && !objects.has(oid) && (!isTagged || !tags.has(oid)),
    )
    if (bad !== undefined) throw new Error(`cannot show "app"."t${bad.oid}", which is bad`)
    return 'built'
  })
  const { result, failed } = await findWhatFails(counted.build, () => units)
  assert.equal(result, 'built')
  assert.equal(failed.length, 20)
  assert.ok(failed.every(({ unit, what }) => what === (unit.isTagged ? 'tags' : 'object')))
  assert.equal(counted.builds, 21)
})

test('comments that nothing names are found among those that say something', async () => {
  const counted = countingBuilds(({ tags }) => {
    if (['8', '40'].some((oid) => !tags.has(oid))) throw new TypeError('x.match is not a function')
    return 'built'
  })
  const { failed } = await findWhatFails(counted.build, () => units)
  assert.deepEqual(failed.map(({ unit, what }) => `${what} ${unit.oid}`).toSorted(), [
    'tags 40',
    'tags 8',
  ])
  assert.match(failed[0]?.reason ?? '', /PostGraphile cannot read it/)
})

test('where very many fail, the search ends, and what was found to be sound stays', async () => {
  const isBad = (oid: string) => Number(oid) % 9 === 0
  const counted = countingBuilds(({ objects }) => {
    if (units.some(({ oid }) => isBad(oid) && !objects.has(oid)))
      throw new Error('something is bad')
    return 'built'
  })
  const { failed } = await findWhatFails(counted.build, () => units)
  const lost = new Set(failed.map(({ unit }) => unit.oid))
  assert.ok(units.every(({ oid }) => !isBad(oid) || lost.has(oid)))
  assert.ok(counted.builds <= 45, `${counted.builds}`)
  assert.ok(lost.size < 70, `${lost.size}`)
})
