import CCurl
import Glibc

/// The sockets of libcurl that one event loop watches: an epoll set of their own inside the loop's.
///
/// Level-triggered, as libcurl expects. Interest is withdrawn lazily: libcurl drops a socket at each pause and after
/// each transfer, and usually watches it again soon. Only if the socket has an event meanwhile is epoll changed.
final class SocketSet {
    /// What became ready.
    struct Ready {
        var socket: CInt
        /// The tag of the multi handle that watches it.
        var owner: Int
        /// What happened to it, in the form that libcurl accepts: `CURL_CSELECT_IN`, `_OUT`, `_ERR`.
        var events: CInt
    }

    private struct Watch {
        var owner = -1
        /// The epoll events that libcurl waits for; 0 if there are none.
        var wanted: UInt32 = 0
        /// What the kernel watches for; 0 when the socket is not in the set.
        var registered: UInt32 = 0
        /// Distinguishes the events of a reused descriptor from late ones of its predecessor.
        var generation: UInt32 = 0
        /// Where its connection goes, while no transfer uses it and the next one may.
        var idleAt: Origin?
        /// Whether such a connection must not be used any more if anything arrives on it.
        var closesWhenReady = false
    }

    let descriptor: CInt
    private var watches = [Watch](repeating: Watch(), count: 256)
    private var events = [epoll_event](repeating: epoll_event(), count: 256)

    /// - Throws: An errno where the system has no descriptor left.
    init() throws {
        descriptor = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError(call: "epoll_create1") }
    }

    deinit { close(descriptor) }

    /// libcurl says what it waits for on a socket: `CURL_POLL_IN`, `_OUT`, `_INOUT` or `_REMOVE`.
    func watch(_ socket: CInt, for interest: CInt, owner: Int) {
        let index = Int(socket)
        if index >= watches.count {
            watches.append(contentsOf: repeatElement(Watch(), count: max(index + 1, 2 * watches.count) - watches.count))
        }
        var wanted: UInt32 = 0
        if interest == CURL_POLL_IN || interest == CURL_POLL_INOUT { wanted |= EPOLLIN.rawValue }
        if interest == CURL_POLL_OUT || interest == CURL_POLL_INOUT { wanted |= EPOLLOUT.rawValue }
        watches[index].owner = owner
        watches[index].wanted = wanted
        // Watched again. libcurl drops it after a transfer before the transfer's end is known.
        if wanted != 0 { watches[index].idleAt = nil }
        if wanted != 0, wanted != watches[index].registered { register(socket, for: wanted) }
    }

    /// Which life of the descriptor this is: another one once libcurl has closed the socket.
    func generation(of socket: CInt) -> UInt32 { watches[Int(socket)].generation }

    /// A transfer has ended well, and libcurl has kept its connection, unless the descriptor has another life since, or
    /// other transfers use the connection.
    ///
    /// - Parameters:
    ///   - socket: The connection's descriptor.
    ///   - generation: That of the descriptor when the transfer used it.
    ///   - origin: Where the connection goes.
    ///   - closesWhenReady: Whether it must not be used any more if anything arrives on it: so for HTTP/1.1, where bytes
    ///     without a request, or the end, mean that the two sides disagree (RFC 9112, section 9.2).
    func leftIdle(_ socket: CInt, generation: UInt32, origin: Origin, closesWhenReady: Bool) {
        let watch = watches[Int(socket)]
        guard watch.generation == generation, watch.wanted == 0 else { return }
        watches[Int(socket)].idleAt = origin
        watches[Int(socket)].closesWhenReady = closesWhenReady
        // Mostly libcurl waited for input until now, which the kernel still reports.
        if watch.registered & EPOLLIN.rawValue == 0 { register(socket, for: EPOLLIN.rawValue) }
    }

    /// Connections that wait for the next request, by origin.
    ///
    /// - Complexity: O(descriptors).
    func idleConnections() -> [ObjectIdentifier: Int] {
        watches.lazy.compactMap(\.idleAt).reduce(into: [:]) { $0[ObjectIdentifier($1), default: 0] += 1 }
    }

    /// libcurl closes the socket, or has just made it; the kernel forgets it with its last descriptor.
    func forget(_ socket: CInt) {
        let index = Int(socket)
        guard watches.indices.contains(index) else { return }
        watches[index] = Watch(generation: watches[index].generation &+ 1)
    }

    /// Calls `handle` for each socket that is ready and that libcurl waits for, without waiting, at most 256 of them.
    ///
    /// - Returns: Whether the set may hold more.
    func drain(_ handle: (Ready) -> Void) -> Bool {
        let count = Int(epoll_wait(descriptor, &events, CInt(events.count), 0))
        guard count > 0 else { return false }
        for index in 0..<count {
            let data = events[index].data.u64
            let socket = CInt(truncatingIfNeeded: data & 0xFFFF_FFFF)
            let watch = watches[Int(socket)]
            guard watch.generation == UInt32(truncatingIfNeeded: data >> 32) else { continue }
            let happened = events[index].events
            if watch.wanted != 0 {
                handle(Ready(socket: socket, owner: watch.owner, events: Self.selectBits(happened)))
            } else {
                withdraw(socket)
            }
        }
        return count == events.count
    }

    /// A socket is ready that libcurl does not wait for: the kernel need not report it again.
    ///
    /// It is idle, or its transfer is paused: then libcurl reads what has arrived, up to an error, once it is resumed.
    private func withdraw(_ socket: CInt) {
        var unused = epoll_event()
        epoll_ctl(descriptor, EPOLL_CTL_DEL, socket, &unused)
        watches[Int(socket)].registered = 0
        guard watches[Int(socket)].idleAt != nil else { return }
        watches[Int(socket)].idleAt = nil
        guard watches[Int(socket)].closesWhenReady else { return }
        // libcurl has no call that closes an idle connection. One that is shut down it finds dead when it looks for one to
        // use (`cf_socket_conn_is_alive` in lib/cf-socket.c), whatever has arrived, and closes it.
        shutdown(socket, CInt(SHUT_RDWR))
    }

    private func register(_ socket: CInt, for wanted: UInt32) {
        let index = Int(socket)
        let tag = UInt64(watches[index].generation) << 32 | UInt64(UInt32(bitPattern: socket))
        var event = epoll_event(events: wanted, data: epoll_data(u64: tag))
        let operation = watches[index].registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        if epoll_ctl(descriptor, operation, socket, &event) != 0 {
            // The number was reused unnoticed, or was in the set already: the other operation is right.
            let other = operation == EPOLL_CTL_ADD ? EPOLL_CTL_MOD : EPOLL_CTL_ADD
            guard epoll_ctl(descriptor, other, socket, &event) == 0 else { return }
        }
        watches[index].registered = wanted
    }

    private static func selectBits(_ happened: UInt32) -> CInt {
        var bits: CInt = 0
        if happened & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLRDHUP.rawValue) != 0 { bits |= CURL_CSELECT_IN }
        if happened & EPOLLOUT.rawValue != 0 { bits |= CURL_CSELECT_OUT }
        if happened & EPOLLERR.rawValue != 0 { bits |= CURL_CSELECT_ERR }
        return bits
    }
}
