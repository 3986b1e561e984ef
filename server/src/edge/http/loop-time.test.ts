import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { Refusal } from '../../ground/errors.ts'
import { createCounts } from './count-here.ts'
import { createLoopTimes, type LoopTime } from './loop-time.ts'

let nowMs: number
let timeOf: (user: string, network: string) => LoopTime
beforeEach(() => {
  nowMs = 0
  const clock = () => nowMs
  timeOf = createLoopTimes({ userMs: 900, networkMs: 600 }, clock, createCounts(100, clock))
})

const work = (time: LoopTime, ms: number) =>
  time.during(() => {
    nowMs += ms
  })
const isRefused = (time: LoopTime, seconds: number) =>
  assert.throws(
    () => time.refuseOver(),
    (error) =>
      error instanceof Refusal &&
      error.code === 'too_many_requests' &&
      error.retryAfterSeconds === seconds,
  )

describe('what somebody takes of the event loop', () => {
  test('is theirs up to a part of each minute, and again in the next', () => {
    const ada = timeOf('ada', 'here')
    work(ada, 599)
    ada.refuseOver()
    work(ada, 1)
    isRefused(ada, 60)
    nowMs += 30_000
    isRefused(ada, 30)
    nowMs += 30_000
    ada.refuseOver()
  })

  test('counts where the work fails, and answers what it answered', () => {
    const ada = timeOf('ada', 'here')
    assert.equal(
      ada.during(() => 1),
      1,
    )
    const fail = () => {
      nowMs += 600
      throw new Error('no')
    }
    assert.throws(() => ada.during(fail), /no/)
    isRefused(ada, 60)
  })

  test('from one network is less than all of it, from all of them no more', () => {
    work(timeOf('ada', 'a thief'), 600)
    isRefused(timeOf('ada', 'a thief'), 60)
    timeOf('ada', 'home').refuseOver()
    work(timeOf('ada', 'home'), 300)
    isRefused(timeOf('ada', 'home'), 60)
    isRefused(timeOf('ada', 'another'), 60)
  })

  test('is nobody else’s', () => {
    work(timeOf('ada', 'here'), 5_000)
    timeOf('ben', 'here').refuseOver()
  })
})
