import Glibc
import HTTPText
package import Settings

/// The listening sockets that the process was started with, by who keeps them open for it (sd_listen_fds(3)).
///
/// systemd hands over the descriptors from 3 on, as many as `LISTEN_FDS` says, to the process that `LISTEN_PID` names. What
/// they listen on, the sockets tell themselves.
package struct InheritedSockets: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let first: CInt = 3
    /// More are a mistake.
    private static let most = 256

    private var sockets: [(address: ListenAddress, descriptor: CInt)] = []

    package init() {}

    /// - Parameters:
    ///   - environment: That of the process.
    ///   - process: Its id.
    /// - Throws: What of the descriptors is no socket that listens.
    package init(environment: [String: String], process: CInt = getpid()) throws(Failure) {
        guard let names = environment["LISTEN_FDS"], environment["LISTEN_PID"].flatMap(CInt.init) == process else {
            return
        }
        guard let count = Int(names), (1...Self.most).contains(count) else {
            throw Failure(description: "LISTEN_FDS is \(names), which is no number of sockets")
        }
        for descriptor in Self.first..<Self.first + CInt(count) {
            guard let address = Self.address(of: descriptor) else {
                throw Failure(
                    description: "descriptor \(descriptor), which LISTEN_FDS names, is no socket that listens")
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            sockets.append((address, descriptor))
        }
    }

    /// The addresses that nobody has taken.
    package var left: [ListenAddress] { sockets.map(\.address) }

    /// The socket for an address of the configuration; `nil` where it has to be opened.
    mutating func take(_ address: ListenAddress) -> CInt? {
        let wanted = address.normalized
        guard let index = sockets.firstIndex(where: { $0.address == wanted }) else { return nil }
        return sockets.remove(at: index).descriptor
    }

    /// Where a socket listens; `nil` for one that does not.
    private static func address(of descriptor: CInt) -> ListenAddress? {
        var listens: CInt = 0, size = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0, listens != 0 else { return nil }
        var storage = sockaddr_storage(), length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { bytes -> ListenAddress? in
            guard let base = bytes.baseAddress else { return nil }
            let name = base.assumingMemoryBound(to: sockaddr.self)
            guard getsockname(descriptor, name, &length) == 0 else { return nil }
            guard name.pointee.sa_family != sa_family_t(AF_UNIX) else {
                let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
                let path = bytes[start..<max(start, Int(length))].prefix { $0 != 0 }
                return .unix(path: String(decoding: path, as: UTF8.self))
            }
            return text(of: name, length: length)
        }
    }

    private static func text(of name: UnsafePointer<sockaddr>, length: socklen_t) -> ListenAddress? {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST)), port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let flags = NI_NUMERICHOST | NI_NUMERICSERV
        guard
            getnameinfo(
                name, length, &host, socklen_t(host.count), &port, socklen_t(port.count), flags) == 0,
            let number = Int(Self.string(port))
        else { return nil }
        return ListenAddress.ip(host: Self.string(host), port: number).normalized
    }

    private static func string(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension ListenAddress {
    /// The same address, in the one way of several to write it.
    fileprivate var normalized: ListenAddress {
        guard case .ip(let host, let port) = self, let address = IPAddress(host) else { return self }
        return .ip(host: address.text, port: port)
    }
}
