import HTTPText
import NIOCore
import Settings

extension [PublicListener] {
    /// The addresses in the order to bind them: the widest first, so that an exclusive bind covers the whole port.
    ///
    /// `sharesOwn` is whether a wider address before it has the same port, such as `[::]:80` before `0.0.0.0:80`.
    var inOrderOfBinding: [(listener: PublicListener, sharesOwn: Bool)] {
        let widest = indices.sorted { (self[$0].address.breadth, $1) > (self[$1].address.breadth, $0) }.map { self[$0] }
        return widest.enumerated().map { index, listener in
            (listener, widest[..<index].contains { $0.address.overlaps(listener.address) })
        }
    }
}

extension ListenAddress {
    /// The range of addresses that it covers: both families, IPv4, or one address.
    fileprivate var breadth: Int {
        switch ipAddress?.text {
        case "::": 2
        case "0.0.0.0": 1
        default: 0
        }
    }

    /// Whether a socket at one of the addresses also accepts connections for the other one.
    fileprivate func overlaps(_ other: ListenAddress) -> Bool {
        guard case .ip(_, let port) = self, case .ip(_, port) = other, port != 0 else { return false }
        switch max(breadth, other.breadth) {
        case 2: return true
        case 1: return ipAddress?.family == other.ipAddress?.family
        default: return false
        }
    }

    private var ipAddress: IPAddress? {
        guard case .ip(let host, _) = self else { return nil }
        return IPAddress(host)
    }

    var isUnix: Bool { if case .unix = self { true } else { false } }

    func socketAddress() throws -> SocketAddress {
        switch self {
        case .ip(let host, let port): try SocketAddress(ipAddress: host, port: port)
        case .unix(let path): try SocketAddress(unixDomainSocketPath: path)
        }
    }

    /// The address as a URL, with the port that the system chose.
    func url(port: Int?, isSecure: Bool = false) -> String {
        switch self {
        case .ip(let host, let asked):
            (isSecure ? "https://" : "http://") + ListenAddress.ip(host: host, port: port ?? asked).text
        case .unix: text
        }
    }
}
