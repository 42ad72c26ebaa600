# weir in a container: docker build -t weir . && docker run -v ./proxy.conf:/etc/weir/proxy.conf:ro -p 8080:8080 weir
#
# libcurl comes from Debian's backports in both stages, since weir needs 8.14; the mirror is that of the base image's package
# sources. At run time libcurl brings libnghttp2, with the security updates available at build time of the image.

FROM swift:6.3-bookworm AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /src
RUN sed '/^$/q; s/^Suites:.*/Suites: bookworm-backports/' /etc/apt/sources.list.d/debian.sources \
        > /etc/apt/sources.list.d/backports.sources \
    && apt-get update \
    && apt-get install -y --no-install-recommends \
        libcurl4-openssl-dev/bookworm-backports libnghttp2-dev/bookworm libsimdjson-dev/bookworm zlib1g-dev/bookworm \
    && rm -rf /var/lib/apt/lists/*
# The dependencies have their own layer: they change less often than the sources.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --product weir --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked -Xlinker -s \
    && install -D .build/release/weir /out/weir

FROM debian:bookworm-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN sed '/^$/q; s/^Suites:.*/Suites: bookworm-backports/' /etc/apt/sources.list.d/debian.sources \
        > /etc/apt/sources.list.d/backports.sources \
    && apt-get update \
    && apt-get install -y --no-install-recommends \
        libcurl4/bookworm-backports libsimdjson14/bookworm ca-certificates/bookworm \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --user-group --no-create-home --shell /usr/sbin/nologin --uid 10001 weir
COPY --from=build /out/weir /usr/local/bin/weir
# A number, so that a host that forbids root can check it.
USER 10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# weir itself requests its admin listener, at the default address: the image needs no shell.
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s CMD ["weir", "health", "--live"]
ENTRYPOINT ["weir"]
CMD ["run", "-c", "/etc/weir/proxy.conf"]
