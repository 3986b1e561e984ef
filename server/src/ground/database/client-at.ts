import type pg from 'pg'
import type { Secret } from '../crypto/secret.ts'
import { AddressedClient } from './addressed-client.ts'
import { clientConfigOf } from './client-config.ts'
import { readAddress } from './postgres-address.ts'

/** A client of the first host of an address, which has not connected yet. */
export const clientAt = (url: Secret, settings: pg.ClientConfig = {}): pg.Client =>
  new AddressedClient({ ...clientConfigOf(readAddress(url.revealText())), ...settings })
