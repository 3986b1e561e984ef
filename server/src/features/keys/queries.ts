import type { Statement } from '../../ground/database/pipeline.ts'
import type { SealedSigningKey } from './signing-key.ts'

export const listSigningKeys: Statement = {
  name: 'list_signing_keys',
  text: 'select * from pie_private.list_signing_keys()',
  values: [],
}

export const addFirstSigningKey = ({
  kid,
  publicJwk,
  sealedPrivate,
}: SealedSigningKey): Statement => ({
  name: 'add_first_signing_key',
  text: 'select pie_private.add_first_signing_key($1, $2, $3)',
  values: [kid, JSON.stringify(publicJwk), sealedPrivate],
})
