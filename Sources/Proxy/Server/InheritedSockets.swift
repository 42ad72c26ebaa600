import Glibc
import HTTPText
package import Settings

/// The listening sockets that the process inherited from its supervisor (sd_listen_fds(3)).
///
/// systemd passes the descriptors from 3 on, in the number of `LISTEN_FDS`, to the process that `LISTEN_PID` names. Their
/// addresses are read from the sockets.
package struct InheritedSockets: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let first: CInt = 3
    /// A larger number is an error.
    private static let most = 256

    private var sockets: [(address: ListenAddress, descriptor: CInt)] = []

    package init() {}

    /// - Parameters:
    ///   - environment: The environment of the process.
    ///   - process: The id of the process.
    /// - Throws: If a descriptor is not a listening socket.
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

    /// The addresses that no listener has taken.
    package var left: [ListenAddress] { sockets.map(\.address) }

    /// The socket for an address of the configuration; `nil` if it has to be opened.
    mutating func take(_ address: ListenAddress) -> CInt? {
        let wanted = address.normalized
        guard let index = sockets.firstIndex(where: { $0.address == wanted }) else { return nil }
        return sockets.remove(at: index).descriptor
    }

    /// The address of a listening socket; `nil` if it does not listen.
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
    /// The same address in its canonical form.
    fileprivate var normalized: ListenAddress {
        guard case .ip(let host, let port) = self, let address = IPAddress(host) else { return self }
        return .ip(host: address.text, port: port)
    }
}
