# The container image, for those who have Docker. `make image` makes the same without it. A tag may be moved to another image;
# docs/security.md says how to name one by its digest.
ARG NODE_IMAGE=node:26-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY image/node/package.json ./image/node/
RUN npm ci --include=dev --ignore-scripts
COPY . .
RUN npm run build

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/dist ./dist
COPY --from=build /build/examples ./examples
COPY --from=build /build/package.json ./
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/omnia.js"]
