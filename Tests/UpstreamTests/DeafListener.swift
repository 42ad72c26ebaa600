import Glibc
import Testing

@testable import Upstream

/// A port of 127.0.0.1 whose queue of new connections is full: a connect gets no answer.
final class DeafListener: Sendable {
    let port: UInt16
    private let sockets: [CInt]

    init() throws {
        let listener = try Self.makeSocket()
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        try #require(Self.call(bind, listener, &address) == 0)
        try #require(listen(listener, 0) == 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let named = withUnsafeMutableBytes(of: &address) {
            getsockname(listener, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, &length)
        }
        try #require(named == 0)
        port = UInt16(bigEndian: address.sin_port)
        // The queue takes one more than requested; later ones are not even refused (listen(2), tcp(7)).
        var sockets = [listener]
        for _ in 0..<4 {
            let client = try Self.makeSocket()
            _ = Self.call(connect, client, &address)
            sockets.append(client)
        }
        self.sockets = sockets
    }

    deinit { for socket in sockets { close(socket) } }

    private static func makeSocket() throws -> CInt {
        let made = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        guard made >= 0 else { throw SystemError(call: "socket") }
        return made
    }

    private static func call(
        _ function: (CInt, UnsafePointer<sockaddr>?, socklen_t) -> CInt, _ socket: CInt, _ address: inout sockaddr_in
    ) -> CInt {
        withUnsafeBytes(of: &address) {
            function(socket, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
        }
    }
}
