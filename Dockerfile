# One image for the three roles and the command line; its arguments choose:
#   docker build -t tutti:0.1.0 .
#   docker run tutti:0.1.0 apps/worker/bundle/main.mjs --help
ARG NODE_IMAGE=node:20.20.2-bookworm-slim

# Everything is built inside, so that the native parts of DuckDB are those of the image's own platform.
FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY . .
# Not `npm ci`: it refuses a lock file that lacks native packages of platforms which nobody installs on. All versions are
# pinned in the package.json files too.
RUN --mount=type=cache,target=/root/.npm npm install --ignore-scripts --no-audit --no-fund
RUN node tools/bundle.mjs apps/resource-manager \
 && node tools/bundle.mjs apps/coordinator \
 && node tools/bundle.mjs apps/worker \
 && node tools/bundle.mjs apps/cli

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="tutti" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.description="A SQL query service with many coordinators and one cluster-wide admission."
ENV NODE_ENV=production
WORKDIR /app
# DuckDB is native code and stays outside the bundles; its loader asks detect-libc which build fits.
COPY --from=build /src/node_modules/@duckdb node_modules/@duckdb
COPY --from=build /src/node_modules/detect-libc node_modules/detect-libc
# The demo catalog and its data; datapackage.json names their sources and licences.
COPY --from=build /src/node_modules/vega-datasets/datapackage.json node_modules/vega-datasets/datapackage.json
COPY --from=build /src/node_modules/vega-datasets/data node_modules/vega-datasets/data
COPY --from=build /src/catalogs catalogs
COPY --from=build /src/apps/cli/bundle apps/cli/bundle
COPY --from=build /src/apps/resource-manager/bundle apps/resource-manager/bundle
COPY --from=build /src/apps/coordinator/bundle apps/coordinator/bundle
COPY --from=build /src/apps/worker/bundle apps/worker/bundle
# By number, so that Kubernetes can see that it is not root. Nothing under /app belongs to this user.
USER 1000:1000
# cluster, edge, metrics, health
EXPOSE 9090 8080 9464 9465
# Node is process 1 and hears SIGTERM itself: no shell and no npm in between.
ENTRYPOINT ["node", "--enable-source-maps"]
CMD ["apps/cli/bundle/main.mjs", "--help"]
