import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  childrenOf,
  columnsOf,
  nodesIn,
  numberOf,
  parseNodeTree,
  valuesOf,
  wordOf,
} from './parse-node-tree.ts'

test('fields hold words, nodes and lists; what is empty, false or a place in a text is left out', () => {
  const tree = parseNodeTree(
    '{OPEXPR :opno 96 :opretset false :opfuncid 65 :args ({VAR :varno 1 :varattno 2 :vartypmod -1 :location 7} {CONST :constisnull false :constvalue 4 [ 1 0 0 0 ] :location -1}) :name <> :location 9}',
  )
  assert.equal(tree.type, 'OPEXPR')
  assert.deepEqual(Object.keys(tree.fields), ['opno', 'opfuncid', 'args'])
  assert.equal(numberOf(tree, 'opno'), 96)
  assert.equal(wordOf(tree, 'opretset'), '')
  const [column, constant] = nodesIn(tree, 'args')
  assert.ok(column !== undefined && constant !== undefined)
  assert.equal(numberOf(column, 'varattno'), 2)
  assert.deepEqual(valuesOf(constant, 'constvalue'), ['4', '[1 0 0 0]'])
  assert.deepEqual(childrenOf(tree), [column, constant])
})

test('names may hold everything that divides, and begin with what begins a field', () => {
  const tree = parseNodeTree(
    '{ALIAS :aliasname :odd :other a\\ \\(b\\)\\{\\}\\\\c :list ("x\\ y" <>)}',
  )
  assert.equal(wordOf(tree, 'aliasname'), ':odd')
  assert.equal(wordOf(tree, 'other'), 'a (b){}\\c')
  assert.deepEqual(valuesOf(tree, 'list'), ['"x y"', '<>'])
})

test('sets of columns are told as attribute numbers', () => {
  const tree = parseNodeTree('{RTEPERMISSIONINFO :selectedCols (b 8 10) :insertedCols (b)}')
  assert.deepEqual(columnsOf(tree, 'selectedCols'), [1, 3])
  assert.deepEqual(columnsOf(tree, 'insertedCols'), [])
})
