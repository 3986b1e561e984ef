import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../crypto/secret.ts'
import { asLogin, atOtherAddress } from './login-address.ts'

const pooled = Secret.fromText('postgres://postgres.abcdef:owner@pooler.example:6543/postgres')
const direct = Secret.fromText('postgres://postgres:owner@db.example:5432/postgres?sslmode=disable')
const password = Secret.fromText('p:w/')

test('a login keeps the project that follows the owner’s name, and the rest of the address', () => {
  assert.equal(
    asLogin(pooled, 'postgres', 'cream', password).revealText(),
    'postgres://cream.abcdef:p%3Aw%2F@pooler.example:6543/postgres',
  )
  assert.equal(
    asLogin(direct, 'postgres', 'cream', password).revealText(),
    'postgres://cream:p%3Aw%2F@db.example:5432/postgres?sslmode=disable',
  )
})

test('an owner whose name has a dot is an owner like any other', () => {
  const url = Secret.fromText('postgres://ada.lovelace:owner@db.example/app')
  assert.equal(
    asLogin(url, 'ada.lovelace', 'cream', password).revealText(),
    'postgres://cream:p%3Aw%2F@db.example/app',
  )
})

test('past the pooler the project is left out, and in another pooler it stays', () => {
  const auth = asLogin(pooled, 'postgres', 'pie_auth', password)
  assert.equal(
    atOtherAddress(auth, pooled, direct).revealText(),
    'postgres://pie_auth:p%3Aw%2F@db.example:5432/postgres?sslmode=disable',
  )
  const session = Secret.fromText('postgres://postgres.abcdef:owner@pooler.example:5432/postgres')
  assert.equal(
    atOtherAddress(auth, pooled, session).revealText(),
    'postgres://pie_auth.abcdef:p%3Aw%2F@pooler.example:5432/postgres',
  )
  const bare = asLogin(direct, 'postgres', 'pie_auth', password)
  assert.equal(
    new URL(atOtherAddress(bare, direct, session).revealText()).username,
    'pie_auth.abcdef',
  )
})
