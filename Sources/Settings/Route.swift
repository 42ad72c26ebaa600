package import Flow

/// One entry of `routes`: which requests it takes, where they go, and on which terms.
package struct Route: Equatable, Sendable {
    package var match: Match
    package var upstream: UpstreamAddress
    package var framing = Framing.auto
    package var policy = Policy()
    package var clientKey = ClientKey.address
    package var streams = StreamLimits()
    /// Streams and requests at the upstream at a time; `nil` for no limit.
    package var upstreamStreams: Int? = 1000
    /// How long a client may leave due records unread; `nil` for as long as it likes.
    package var stallTimeout: Duration? = .seconds(10)
    /// SO_RCVBUF towards the upstream; `nil` for the system's own choice.
    package var upstreamReceiveBuffer: ByteCount? = .kibibytes(256)
    package var timeouts = Timeouts()
    /// The upstream's header that tells the number of records; `nil` for `X-Stream-Total-Items` alone.
    package var totalItemsHeader: String?
    /// Whether the upstream sees `X-Stream-Rate-Limit` and `X-Stream-Buffer-Size`.
    package var forwardStreamHeaders = true
    /// Whether `match.path` is taken off the path that the upstream sees.
    package var stripPrefix = false
    package var host = HostHeader.preserve

    package init(match: Match, upstream: UpstreamAddress) {
        self.match = match
        self.upstream = upstream
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

    /// What tells one client from another.
    package enum ClientKey: Equatable, Sendable {
        /// The address, behind `trustedProxies` the one that they forward.
        case address
        /// The value of a request header, such as an API key.
        case header(String)
    }

    /// How many streams may be open and may start; `nil` is no limit.
    package struct StreamLimits: Equatable, Sendable {
        package var perClient: Int?
        package var perRoute: Int?
        /// Streams that one client may start in a unit of time.
        package var starts: Rate?
        /// Streams that one client may start at once after a quiet time.
        package var startsBurst = 10

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
