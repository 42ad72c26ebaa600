package import Flow

/// One entry of `routes`: which requests it takes, where they go, and on which terms.
package struct Route: Equatable, Sendable {
    package var match: Match
    /// In the order of the file; never empty.
    package var upstreams: [UpstreamAddress]
    package var balance = UpstreamRules.Balance.leastStreams
    /// `nil` where no request is sent a second time.
    package var retry: Retry? = Retry()
    /// `nil` where upstreams are not asked how they are.
    package var healthCheck: HealthCheck?
    package var upstreamTLS = UpstreamTLS()
    /// Where the file says that upstreams are spoken to in HTTP/2; `nil` where it does not.
    package var upstreamHTTP2: Position?
    package var framing = Framing.auto
    /// Media types that are streams under `Framing.auto`, in addition to the known ones.
    package var types = StreamTypes()
    /// After how much quiet a stream of events gets a comment; `nil` for never.
    package var heartbeat: Duration?
    package var policy = Policy()
    package var overflow = Overflow.pause
    /// A JSON Pointer (RFC 6901) to what tells records apart under `Overflow.latest`; `nil` where none is told.
    package var key: String?
    package var clientKey = ClientKey.address(ipv6Prefix: ClientKey.standardIPv6Prefix)
    package var streams = StreamLimits()
    /// Streams and requests at the upstream at a time; `nil` for no limit.
    package var upstreamStreams: Int? = 1000
    /// `nil` where a client may leave due records unread for as long as it likes.
    package var stallTimeout: StallTimeout? = StallTimeout()
    /// One for each client, told of its slow-consumer ends; `nil` for none.
    package var breaker: Breaker? = .client
    /// Told of the upstream's failures; `nil` for none.
    package var upstreamBreaker: Breaker? = .upstream
    /// SO_RCVBUF towards the upstream; `nil` for the system's own choice.
    package var upstreamReceiveBuffer: ByteCount? = .kibibytes(256)
    package var timeouts = Timeouts()
    /// The most that a request's body may have; `nil` for no limit.
    package var maximumBodyBytes: ByteCount?
    /// `nil` where `Prefer: respond-async` is ignored, as RFC 7240 allows.
    package var async: Async? = Async()
    /// How long a stream whose client is gone waits for it to come back; `nil` for not at all.
    package var resumeWindow: Duration?
    /// The upstream's header that tells the number of records; `nil` for `X-Stream-Total-Items` alone.
    package var totalItemsHeader: String?
    /// Whether the upstream sees `X-Stream-Rate-Limit` and `X-Stream-Buffer-Size`.
    package var forwardStreamHeaders = true
    /// Whether `match.path` is taken off the path that the upstream sees.
    package var stripPrefix = false
    package var host = HostHeader.preserve

    package init(match: Match, upstreams: [UpstreamAddress]) {
        self.match = match
        self.upstreams = upstreams
    }
}

extension Route {
    /// The requests that a route takes: those that satisfy every part.
    package struct Match: Equatable, Sendable {
        /// In lower case, without a port; `nil` for any.
        package var host: String?
        /// A prefix of the path that ends at a segment border; `/` for any path.
        package var path: String
        /// In upper case; empty for any.
        package var methods: [String]

        package init(host: String? = nil, path: String = "/", methods: [String] = []) {
            self.host = host
            self.path = path
            self.methods = methods
        }

        /// Whether every request that `other` takes is taken by this match too.
        package func covers(_ other: Match) -> Bool {
            let border = path.hasSuffix("/") ? path : path + "/"
            return (host == nil || host == other.host)
                && (path == other.path || other.path.hasPrefix(border))
                && (methods.isEmpty || !other.methods.isEmpty && other.methods.allSatisfy(methods.contains))
        }
    }

    /// Which requests are sent to another upstream when the first one fails before it answers.
    package struct Retry: Equatable, Sendable {
        /// Upstreams that are asked at most, the first one included.
        package var attempts = 2

        package init() {}
    }

    /// What weir asks each upstream itself, and by which answers it is taken out and brought back.
    package struct HealthCheck: Equatable, Sendable {
        /// What is asked for, with GET.
        package var path = "/"
        /// From one question to the next.
        package var interval = Duration.seconds(5)
        /// How long the answer may take.
        package var timeout = Duration.seconds(2)
        /// Good answers in a row that bring it back.
        package var rise = 2
        /// Bad answers in a row that take it out.
        package var fall = 3

        package init() {}
    }

    /// Whom weir takes for an upstream at `https:`.
    package struct UpstreamTLS: Equatable, Sendable {
        /// Who signs their certificates, in PEM; `nil` for those whom the system trusts.
        package var authority: WrittenPath?
        /// Whether any certificate will do.
        package var isInsecure = false
        /// The name that their certificates are for; `nil` for the host of the upstream's own URL.
        package var serverName: String?

        package init() {}
    }

    /// What tells one client from another.
    package enum ClientKey: Equatable, Sendable {
        /// The address, behind `trustedProxies` the one that they forward; of IPv6, its first bits, in this number.
        case address(ipv6Prefix: Int)
        /// The value of a request header, such as an API key.
        case header(String)
        /// The certificate with which it connected; the address of a client that showed none.
        case certificate

        /// The bits of an IPv6 address that one site's network has in common (RFC 7421).
        package static let standardIPv6Prefix = 64
    }

    /// How many streams may be open and may start; `nil` is no limit.
    package struct StreamLimits: Equatable, Sendable {
        package var perClient: Int?
        package var perRoute: Int?
        /// Streams that one client may start in a unit of time.
        package var starts: Rate?
        /// Streams that one client may start at once after a quiet time.
        package var startsBurst = 10
        /// Records that all streams of one client together may get.
        package var clientRecords: Rate?
        /// Whether what goes over these limits is told and let through.
        package var isDryRun = false

        package init() {}
    }

    /// When a client that leaves due records unread is ended as a slow consumer.
    package struct StallTimeout: Equatable, Sendable {
        package var after = Duration.seconds(10)
        /// Whether such a client is told of and left alone.
        package var isDryRun = false

        package init() {}
    }

    /// When nobody is let through for a while, and what it takes to be let through again.
    package struct Breaker: Equatable, Sendable {
        /// Failures within `window` that open it.
        package var failures: Int
        package var window: Duration
        /// From the opening to the first probe.
        package var cooldown: Duration
        /// Streams at a time that are let through to try.
        package var probes: Int
        /// Records that each probe has to deliver.
        package var probeRecords: Int
        /// Whether whoever would be refused is told of and let through.
        package var isDryRun = false

        package static let client = Breaker(
            failures: 3, window: .seconds(60), cooldown: .seconds(30), probes: 1, probeRecords: 10)
        package static let upstream = Breaker(
            failures: 5, window: .seconds(30), cooldown: .seconds(10), probes: 1, probeRecords: 1)
    }

    /// What `Prefer: respond-async` gets.
    package struct Async: Equatable, Sendable {
        /// How long a request waits for the head of the upstream's answer before it gets 202.
        package var wait = Duration.seconds(2)
        /// Streams of one client that wait for a slot, an answer, or somebody to fetch them.
        package var perClient = 10
        /// How long a stream waits to be fetched.
        package var expiry = Duration.seconds(60)

        package init() {}
    }

    /// How long each part of an exchange with the upstream may take; `nil` is no limit.
    package struct Timeouts: Equatable, Sendable {
        package var connect = Duration.seconds(5)
        /// From the request to the head of the answer, connecting included.
        package var firstByte: Duration? = .seconds(30)
        /// Without a byte from an upstream that is not paused.
        package var idle: Duration? = .seconds(300)
        /// In one pause that weir itself causes.
        package var pause: Duration? = .seconds(600)
        package var total: Duration?
        /// Without a byte of a request's body, while weir reads it.
        package var body: Duration? = .seconds(30)

        package init() {}
    }

    /// The `Host` that the upstream sees.
    package enum HostHeader: Equatable, Sendable {
        /// The client's.
        case preserve
        /// The one of the upstream's own address.
        case upstream
        case literal(String)
    }
}
