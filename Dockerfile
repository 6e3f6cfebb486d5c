# The container image, for those who have Docker. `make image` makes the same without it.
FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev
COPY . .
RUN npm run build

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/dist ./dist
COPY --from=build /build/examples ./examples
COPY --from=build /build/package.json ./
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/omnia.js"]
