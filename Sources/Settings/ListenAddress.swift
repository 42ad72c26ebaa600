import HTTPText

/// The address of a listener.
package enum ListenAddress: Hashable, Sendable {
    /// An address in digits, without brackets; port 0 for any free port.
    case ip(host: String, port: Int)
    case unix(path: String)

    /// The maximum path in `sockaddr_un`, whose last byte is NUL.
    static let maximumPathBytes = 107

    /// Reads `127.0.0.1:8080`, `[::1]:8080`, or `unix:/run/weir.sock`.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst("unix:".count)
            guard (1...Self.maximumPathBytes).contains(path.utf8.count), !path.utf8.contains(0) else { return nil }
            self = .unix(path: String(path))
            return
        }
        guard let authority = Authority(written: text), let port = authority.port,
            case let host = String(authority.host), IPAddress(host) != nil
        else {
            return nil
        }
        self = .ip(host: host, port: port)
    }

    /// The text from which this address can be read again.
    package var text: String {
        switch self {
        case .ip(let host, let port): Authority.text(host: host, port: port)
        case .unix(let path): "unix:\(path)"
        }
    }

    /// Whether it is reachable only from this machine.
    var isLocal: Bool {
        switch self {
        case .ip(let host, _): IPAddress(host)?.isLoopback ?? false
        case .unix: true
        }
    }

    /// Whether two listeners at this address conflict; a free port is a different one each time.
    var isExclusive: Bool {
        switch self {
        case .ip(_, let port): port != 0
        case .unix: true
        }
    }
}
