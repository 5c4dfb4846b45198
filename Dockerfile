# The server on a bare Debian: nothing is installed beside it, no database, no root. Templates and migrations are in the
# program.
#
#   docker build -t nightlatch .
#   docker compose up            # with a database, see docker-compose.yml

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The checked queries are in .sqlx: no database is needed to build.
ENV SQLX_OFFLINE=true
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --bin nightlatch \
    && cp target/release/nightlatch /nightlatch

FROM debian:bookworm-slim
COPY --from=build /nightlatch /usr/local/bin/nightlatch
# Who is told of a logout at an https address is known by these.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/config/nightlatch.example.toml /etc/nightlatch/nightlatch.example.toml
# A number, so that an orchestrator can see that it is not root. Nothing is written.
USER 10001:10001
EXPOSE 8080 9000
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["/usr/local/bin/nightlatch", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/nightlatch"]
CMD ["start"]
