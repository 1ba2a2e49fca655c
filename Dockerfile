# weir in a container: `docker build -t weir .`
# `--target backend` is the demo node that compose.yaml runs behind the gateway.

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /out/ ./cmd/weir ./e2e/backend

FROM scratch AS backend
COPY --from=build /out/backend /backend
USER 65532:65532
ENTRYPOINT ["/backend"]

# Nothing but the binary: weir needs no files of a system. The CAs that verify upstreams are Envoy's, on Envoy's machine.
FROM scratch AS weir
COPY --from=build /out/weir /weir
USER 65532:65532
ENTRYPOINT ["/weir"]
