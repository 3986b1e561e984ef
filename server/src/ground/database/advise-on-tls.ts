const advice: Record<string, string> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'is signed by a CA that is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'is signed by a CA that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'is signed by a CA that is not known here',
  SELF_SIGNED_CERT_IN_CHAIN: 'is signed by a CA that is not known here',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is signed by nobody but itself',
  CERT_SIGNATURE_FAILURE: 'is not signed by the CA of sslrootcert',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another host name',
  CERT_HAS_EXPIRED: 'has expired',
}

/** What to do about an error of TLS, or null for any other error. */
export function adviseOnTls(error: unknown): string | null {
  const { code = '', path, message = '' } = error as NodeJS.ErrnoException
  if (path !== undefined && ['ENOENT', 'EACCES', 'EISDIR'].includes(code))
    return `Set sslrootcert in the address to a file that Pie can read, in PEM form.`
  if (/no encryption/.test(message))
    return 'The server lets nobody in without TLS: add sslmode=verify-full to the address, and sslrootcert=/path/to/its-ca.pem where its CA is a private one.'
  if (/does not support SSL/.test(message))
    return 'Switch TLS on there (ssl = on), or, where the network itself is trusted, leave sslmode out of the address.'
  const what = advice[code]
  if (what === undefined) return null
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `The server's certificate ${what}: write the name that stands in the certificate as the host of the address, or have a certificate made for this one.`
  if (code === 'CERT_HAS_EXPIRED') return `The server's certificate ${what}: renew it.`
  return `The server's certificate ${what}: add sslmode=verify-full&sslrootcert=/path/to/its-ca.pem to the address.`
}
