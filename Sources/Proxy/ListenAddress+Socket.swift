import NIOCore
import Settings

extension ListenAddress {
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
