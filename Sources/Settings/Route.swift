package import Flow

/// One entry of `routes`: the requests it matches, its upstreams, and its terms.
package struct Route: Equatable, Sendable {
    package var match: RouteMatch
    /// The name in logs and metrics; `nil` for the host and the path of ``match``.
    package var name: String?
    /// In the order of the file; never empty.
    package var upstreams: [UpstreamAddress]
    package var balance = UpstreamRules.Balance.leastStreams
    /// `nil` if no request is retried.
    package var retry: RetryRules? = RetryRules()
    /// `nil` if there are no health checks.
    package var healthCheck: HealthCheck?
    package var upstreamTLS = UpstreamTLS()
    /// The position of `upstream_http2: true` in the file; `nil` if upstreams use HTTP/1.1.
    package var upstreamHTTP2: Position?
    package var framing = Framing.auto
    /// Media types that are streams under `Framing.auto`, in addition to the known ones.
    package var types = StreamTypes()
    /// The record with which a complete stream ends; `nil` if the end of the response is enough.
    package var endRecord: EndRecord?
    /// What a record counts for the pace and the budgets; `nil` if each counts as one.
    package var weight: Weight?
    /// The idle time after which a stream of events gets a comment, and one of lines a blank line; `nil` for never.
    package var heartbeat: Duration?
    /// The longest time for which a record waits so that bursts are spread; `nil` if they are sent as they arrive.
    package var spread: Duration?
    package var policy = Policy()
    package var overflow = Overflow.pause
    /// A JSON Pointer (RFC 6901) to the key of a record under `Overflow.latest`; `nil` if there is none.
    package var key: String?
    package var clientKey = ClientKey.address(ipv6Prefix: ClientKey.standardIPv6Prefix)
    package var streams = StreamLimits()
    /// How the tier of a client is selected; `nil` if there are no tiers.
    package var clientTier: TierSelector?
    /// The terms and limits of the clients of each tier, by its name.
    package var tiers: [String: Tier] = [:]
    /// Streams and requests at one upstream at a time; `nil` for no limit.
    package var upstreamStreams: Int? = 1000
    /// `nil` if a client may leave due records unread without a limit.
    package var stallTimeout: StallTimeout? = StallTimeout()
    /// One for each client, which counts its ends as a slow consumer; `nil` if there is none.
    package var breaker: Breaker? = .client
    /// Counts the upstream's failures; `nil` if there is none.
    package var upstreamBreaker: Breaker? = .upstream
    /// SO_RCVBUF of connections to the upstream; `nil` for the system's default.
    package var upstreamReceiveBuffer: ByteCount? = .kibibytes(256)
    package var timeouts = Timeouts()
    /// The maximum length of a request's body; `nil` for no limit.
    package var maximumBodyBytes: ByteCount?
    /// `nil` if `Prefer: respond-async` is ignored, as RFC 7240 allows.
    package var async: Async? = Async()
    /// The time that a stream waits for a client whose connection is lost; `nil` if there is none.
    package var resumeWindow: Duration?
    /// What becomes of a stream that may wait for its client.
    package var onClientGone = ClientGone.wait
    /// How clients share one request to the upstream; `nil` if each has its own.
    package var shared: Sharing?
    /// The upstream's header with the number of records; `nil` for `X-Stream-Total-Items` alone.
    package var totalItemsHeader: String?
    /// Whether `X-Stream-Rate-Limit` and `X-Stream-Buffer-Size` are passed to the upstream.
    package var forwardStreamHeaders = true
    /// Whether `match.path` is removed from the path that the upstream receives.
    package var stripPrefix = false
    package var host = HostHeader.preserve
    /// The pages of other origins that may use the route; `nil` if the upstream's fields are passed on unchanged.
    package var cors: CrossOriginPolicy?
    package var headers = Headers()

    /// The name in logs, metrics and commands.
    package var label: String { name ?? (match.host ?? "") + match.path }

    package init(match: RouteMatch, upstreams: [UpstreamAddress]) {
        self.match = match
        self.upstreams = upstreams
    }
}

extension Route {
    /// The health checks that weir sends to each upstream.
    package struct HealthCheck: Equatable, Sendable {
        /// The path of the GET request.
        package var path = "/"
        /// The time between two checks.
        package var interval = Duration.seconds(5)
        /// The maximum time of a response.
        package var timeout = Duration.seconds(2)
        /// Passed checks in a row that mark an upstream as up.
        package var rise = 2
        /// Failed checks in a row that mark an upstream as down.
        package var fall = 3

        package init() {}
    }

    /// How the certificates of `https:` upstreams are verified.
    package struct UpstreamTLS: Equatable, Sendable {
        /// The certificate authority, in PEM; `nil` for the system's trust store.
        package var authority: WrittenPath?
        /// Whether certificates are not verified.
        package var isInsecure = false
        /// The name in their certificates; `nil` for the host of the upstream's URL.
        package var serverName: String?

        package init() {}
    }

    /// The identity of a client.
    package enum ClientKey: Equatable, Sendable {
        /// The address, forwarded by `trustedProxies` if the peer is one; of IPv6, this number of leading bits.
        case address(ipv6Prefix: Int)
        /// The value of a request header, such as an API key.
        case header(String)
        /// The certificate of the client's connection; the address if it has none.
        case certificate

        /// The bits that the addresses of one IPv6 network share (RFC 7421).
        package static let standardIPv6Prefix = 64
    }

    /// The limits on open streams and starts; `nil` for no limit.
    package struct StreamLimits: Equatable, Sendable {
        package var perClient: Int?
        package var perRoute: Int?
        /// Rate at which one client may start streams.
        package var starts: Rate?
        /// Streams that one client may start at once after an idle time.
        package var startsBurst = 10
        /// Records of all streams of one client together.
        package var clientRecords: RecordAllowance?
        /// The instances over which `perClient`, `perRoute` and `starts` count.
        package var scope = Scope.local
        /// The instances over which `clientRecords` counts.
        package var recordScope = Scope.local
        /// Whether these limits are only reported, not enforced.
        package var isDryRun = false

        package init() {}

        /// Whether a limit exists to which `scope` applies.
        var hasSharedLimits: Bool { perClient != nil || perRoute != nil || starts != nil }
    }

    /// When a client that leaves due records unread is ended as a slow consumer.
    package struct StallTimeout: Equatable, Sendable {
        package var after = Duration.seconds(10)
        /// Whether such a client is only reported, not ended.
        package var isDryRun = false

        package init() {}
    }

    /// When a breaker opens, and the conditions under which it closes.
    package struct Breaker: Equatable, Sendable {
        /// Failures within `window` that open it.
        package var failures: Int
        package var window: Duration
        /// From the trip to the first probe.
        package var cooldown: Duration
        /// Concurrent probes.
        package var probes: Int
        /// Records that each probe has to deliver.
        package var probeRecords: Int
        /// The instances at which an open breaker rejects; only of clients.
        package var scope = Scope.local
        /// Whether a refusal is only reported, not enforced.
        package var isDryRun = false

        package static let client = Breaker(
            failures: 3, window: .seconds(60), cooldown: .seconds(30), probes: 1, probeRecords: 10)
        package static let upstream = Breaker(
            failures: 5, window: .seconds(30), cooldown: .seconds(10), probes: 1, probeRecords: 1)
    }

    /// How `Prefer: respond-async` is handled.
    package struct Async: Equatable, Sendable {
        /// The time that a request waits for the head of the upstream's response before it gets 202.
        package var wait = Duration.seconds(2)
        /// Streams of one client that wait for a slot, a response, or their client.
        package var perClient = 10
        /// The time that a stream waits for its client.
        package var expiry = Duration.seconds(60)

        package init() {}
    }

    /// How clients share one request to the upstream, and what is retained of its response.
    package struct Sharing: Equatable, Sendable {
        /// The fields that distinguish requests, in addition to scheme, host, path and query.
        package var key: [String] = []
        package var join = Join.next
        package var retention = Retention()
        package var lag = Lag.gap
        /// The time for which the upstream is read without readers.
        package var linger = Duration.seconds(5)
        /// Readers of one upstream response.
        package var maxReaders = 20_000
        /// Upstream responses that are shared at a time.
        package var maxPulls = 1000

        package init() {}
    }

    /// The record with which a complete stream ends.
    package enum EndRecord: Equatable, Sendable {
        /// The text of the record: of an event, its data.
        case data(String)
        /// A JSON Pointer (RFC 6901) into the record, and the value there: a string, or a number, true, false or null as
        /// it is written.
        case pointer(String, value: String)
    }

    /// The weights of records, in units such as tokens.
    package struct Weight: Equatable, Sendable {
        /// A JSON Pointer (RFC 6901) to the number in a record.
        package var pointer: String
        /// The weight of a record without such a number.
        package var standard = 1
        /// Whether the number is the total of the stream so far.
        package var isCumulative = false

        package init(pointer: String) { self.pointer = pointer }
    }

    /// The maximum times of the parts of an exchange with the upstream; `nil` for no limit.
    package struct Timeouts: Equatable, Sendable {
        package var connect = Duration.seconds(5)
        /// From the request to the head of the response, connecting included.
        package var firstByte: Duration? = .seconds(30)
        /// From the request to the first record of a stream.
        package var firstRecord: Duration?
        /// From one record of a stream to the next, of an upstream that is not paused.
        package var betweenRecords: Duration?
        /// Without a byte from an upstream that is not paused.
        package var idle: Duration? = .seconds(300)
        /// One pause by a full queue.
        package var pause: Duration? = .seconds(600)
        package var total: Duration?
        /// Without a byte of a request's body, while weir reads it.
        package var body: Duration? = .seconds(30)

        package init() {}
    }

    /// The `Host` of requests to the upstream.
    package enum HostHeader: Equatable, Sendable {
        /// The client's.
        case preserve
        /// The host of the upstream's address.
        case upstream
        case literal(String)
    }
}
