import pg from 'pg'

interface Parameters {
  user: string
  database: string
  options: string | undefined
  replication: string | undefined
}

/**
 * A client that goes by its configuration. `pg` takes what that leaves out from PGOPTIONS, PGDATABASE and PGREPLICATION, an
 * empty value included; what an operator has set there for psql would change some of Pie's connections, and not the others.
 */
export class AddressedClient extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    super(config)
    const { connectionParameters: parameters } = this as unknown as {
      connectionParameters: Parameters
    }
    // As in libpq, it is called as who connects.
    const database = config.database || parameters.user
    Object.assign(parameters, { options: config.options, replication: undefined, database })
    Object.assign(this, { database, replication: undefined })
  }
}
