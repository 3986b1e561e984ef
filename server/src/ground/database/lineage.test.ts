import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLineage, OldPrimary } from './lineage.ts'

const primary = (timeline: number, systemIdentifier = 'a') => ({ systemIdentifier, timeline })

function follow() {
  const lineage = createLineage()
  let left = 0
  lineage.onNewer(() => {
    left += 1
  })
  return { lineage, left: () => left }
}

describe('the primaries that a process has seen', () => {
  test('of the same one any number of connections is made', () => {
    const { lineage, left } = follow()
    assert.equal(lineage.current(), '')
    assert.equal(lineage.see(primary(1)), 'a/1')
    assert.equal(lineage.see(primary(1)), 'a/1')
    assert.equal(lineage.current(), 'a/1')
    assert.equal(left(), 0)
  })

  test('one that was promoted takes the place of the one before, once', () => {
    const { lineage, left } = follow()
    lineage.see(primary(1))
    lineage.see(primary(2))
    lineage.see(primary(2))
    lineage.see(primary(5))
    assert.equal(lineage.current(), 'a/5')
    assert.equal(left(), 2)
    assert.deepEqual(
      ['a/1', 'a/2', 'a/5', null].map((name) => lineage.isLeft(name)),
      [true, true, false, false],
    )
  })

  test('one that was left is refused, and nothing changes', () => {
    const { lineage, left } = follow()
    lineage.see(primary(3))
    for (const timeline of [1, 2]) assert.throws(() => lineage.see(primary(timeline)), OldPrimary)
    assert.equal(lineage.current(), 'a/3')
    assert.equal(left(), 0)
  })

  test('another cluster takes its place too, as after an upgrade, and the one that was left for it is refused', () => {
    const { lineage, left } = follow()
    lineage.see(primary(7))
    lineage.see(primary(1, 'b'))
    assert.equal(lineage.current(), 'b/1')
    assert.equal(left(), 1)
    assert.throws(() => lineage.see(primary(7)), OldPrimary)
    assert.throws(() => lineage.see(primary(6)), OldPrimary)
    lineage.see(primary(2, 'b'))
    assert.equal(left(), 2)
  })

  test('who has left an older one knows the newer by then', () => {
    const lineage = createLineage()
    const known: string[] = []
    lineage.onNewer(() => known.push(lineage.current()))
    lineage.see(primary(1))
    lineage.see(primary(2))
    assert.deepEqual(known, ['a/2'])
  })
})
