import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseNodeTree } from '../../catalog/parse-node-tree.ts'
import { readConstant, textOf } from './constants.ts'

const constant = (type: number, length: string, bytes: string) =>
  parseNodeTree(
    `{CONST :consttype ${type} :consttypmod -1 :constcollid 100 :constlen ${length} :constbyval false :constisnull ${bytes === '' ? 'true :location 1 :constvalue <>' : `false :location 1 :constvalue ${bytes}`}}`,
  )

test('texts, numbers, truth and null are read as Postgres keeps them', () => {
  assert.equal(textOf(constant(25, '-1', '7 [ 28 0 0 0 97 -61 -92 ]')), 'aä')
  assert.deepEqual(readConstant(constant(23, '4', '4 [ -2 -1 -1 -1 -1 -1 -1 -1 ]')), {
    isNull: false,
    type: 'integer',
    value: '-2',
  })
  assert.deepEqual(readConstant(constant(16, '1', '1 [ 1 0 0 0 0 0 0 0 ]')), {
    isNull: false,
    type: '16',
    value: 'true',
  })
  assert.deepEqual(readConstant(constant(25, '-1', '')), { isNull: true })
  assert.equal(textOf(constant(23, '4', '4 [ 1 0 0 0 0 0 0 0 ]')), null)
})
