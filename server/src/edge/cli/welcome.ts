/** What `pie start` prints when it is ready: where it is, where the data is, and three things to try. */
export function welcome(pie: {
  address: string
  origin: string
  dataPlace: string
  hasUsers: boolean
}): string {
  // A second start must not ask for an address that the first one has registered.
  const email = pie.hasUsers ? `ada.${Date.now().toString(36)}@example.com` : 'ada@example.com'
  const credentials = `'{"email":"${email}","password":"correct horse battery staple"}'`
  const post = `curl -s -H 'content-type: application/json' -d ${credentials}`
  return `
Pie is running.

  address  ${pie.address}
  docs     ${pie.address}/docs
  data     ${pie.dataPlace}

Try it:

  # make an account
  ${post} ${pie.address}/auth/register

  # sign in, and keep the access token
  TOKEN=$(${post} ${pie.address}/auth/login | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

  # who am I? read from Postgres under row-level security
  curl -s -H "authorization: Bearer $TOKEN" ${pie.address}/users/me

`
}
