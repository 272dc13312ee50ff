# One image for api, mailer, chat, all and migrate: docker run tardigrade api
FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No install scripts: the build does not need any, and they would run as root.
RUN npm ci --ignore-scripts
COPY scripts/build.ts scripts/
COPY src src
COPY workers workers
# The protocols that pages and processes share.
COPY web web
RUN node scripts/build.ts

# The bundle includes every package, so the image needs no node_modules.
FROM node:26-slim
ENV NODE_ENV=production
# From SIGTERM until the door closes: long enough for a balancer to see that /readyz says no.
ENV LAME_DUCK_MS=5000
WORKDIR /app
COPY package.json ./
COPY migrations migrations
COPY web web
COPY deploy/container-entry.sh deploy/
COPY --from=build /app/dist dist
USER node
EXPOSE 3000 3001 3002
# Not node itself: a process that is killed for its memory takes the count of such kills with its container.
ENTRYPOINT ["bash", "deploy/container-entry.sh"]
CMD ["all"]
