import Downstream
import Glibc
import Logging
import NIOCore
import Settings

/// Opens the listeners of a proxy at its start.
struct ListenerOpening {
    let workers: [NIOLoopBound<Worker>]
    let loops: [any EventLoop]
    let group: any EventLoopGroup
    let configuration: Configuration

    /// Opens one address on every loop.
    ///
    /// The kernel does not distribute the connections of a unix socket, and an inherited socket is the only one at its
    /// address: there the first loop accepts for all.
    ///
    /// - Parameters:
    ///   - configured: The address to listen at, and how its connections are served.
    ///   - inherited: A socket that listens there already; `nil` if there is none.
    ///   - sharesOwn: Whether a wider address of this process has the port already.
    /// - Returns: The address as a URL, with the port that the system chose.
    /// - Throws: ``Server/BindError``.
    func open(_ configured: PublicListener, inherited: CInt?, sharesOwn: Bool) async throws -> String {
        let address = configured.address
        let mode = Listener.Mode(
            usesTLS: configured.usesTLS, redirectPort: configuration.redirectPort(of: configured))
        var target = try address.socketAddress()
        var text = address.text
        let isAlone = address.isUnix || inherited != nil
        let spread = isAlone ? try await spread() : nil
        let lock = inherited == nil ? try await UnixSocketFile.prepare(address) : nil
        defer { lock?.release() }
        for (index, worker) in workers.enumerated() {
            if isAlone, index > 0 { break }
            let wanted = target, sharing = sharing(ofLoop: index, sharesOwn: sharesOwn)
            do {
                let bound = try await loops[index].flatSubmit { () -> EventLoopFuture<SocketAddress?> in
                    guard let listener = worker.value.listener else { return loops[0].makeSucceededFuture(nil) }
                    return inherited.map { listener.adopt($0, isUnix: address.isUnix, spread: spread, mode: mode) }
                        ?? listener.bind(wanted, sharing: sharing, spread: spread, mode: mode)
                }.get()
                // For port 0, the other loops use the port that the first one got.
                if let bound { target = bound }
                text = address.url(port: bound?.port, isSecure: configuration.tls != nil && mode.usesTLS)
            } catch {
                throw Server.BindError(at: address, error)
            }
        }
        return text
    }

    /// The first loop binds the address exclusively for this process, and the others join it.
    private func sharing(ofLoop index: Int, sharesOwn: Bool) -> Listener.AddressSharing {
        if configuration.reusesPort || sharesOwn || index > 0 { return .shared }
        return workers.count > 1 || configuration.listen.count > 1 ? .exclusiveAtFirst : .exclusive
    }

    private func spread() async throws -> Listener.Spread {
        var listeners: [(any EventLoop, NIOLoopBound<Listener>)] = []
        for (worker, loop) in zip(workers, loops) {
            let listener = try await loop.submit {
                worker.value.listener.map { NIOLoopBound($0, eventLoop: loop) }
            }.get()
            if let listener { listeners.append((loop, listener)) }
        }
        return Listener.Spread(over: group, listeners)
    }

    /// Opens the admin listener on the first loop; no other socket may be at its address.
    ///
    /// - Returns: The listener, and its address as a URL; `nil` if `address` is `nil`.
    /// - Throws: ``Server/BindError``.
    func openAdmin(
        _ address: ListenAddress?, _ inherited: inout InheritedSockets, shared: Shared, log: Logger
    ) async throws -> (listener: NIOLoopBound<AdminListener>, url: String)? {
        guard let address else { return nil }
        let target = try address.socketAddress(), socket = inherited.take(address), loop = loops[0]
        let lock = socket == nil ? try await UnixSocketFile.prepare(address) : nil
        defer { lock?.release() }
        do {
            let admin = try await loop.submit {
                NIOLoopBound(AdminListener(on: loop, shared: shared), eventLoop: loop)
            }.get()
            let bound = try await loop.flatSubmit {
                let listener = admin.value.listener
                return socket.map { listener.adopt($0, isUnix: address.isUnix) } ?? listener.bind(target)
            }.get()
            let url = address.url(port: bound?.port)
            log.info("admin on \(url)")
            return (admin, url)
        } catch {
            throw Server.BindError(at: address, error)
        }
    }
}

extension Server {
    /// A listener that could not be opened, with the reason as a sentence for operators.
    package struct BindError: Error, CustomStringConvertible {
        package let description: String

        init(description: String) { self.description = description }

        init(at address: ListenAddress, _ error: any Error) {
            if let error = error as? IOError {
                self.init(at: address, errno: error.errnoCode)
            } else {
                self.init(description: "cannot listen on \(address.text): \(error)")
            }
        }

        init(at address: ListenAddress, errno: CInt) {
            self.init(description: "cannot listen on \(address.text): \(Self.reason(errno, at: address))")
        }

        /// What bind(2) or listen(2) returned, in the words of an operator.
        private static func reason(_ errno: CInt, at address: ListenAddress) -> String {
            switch (errno, address) {
            case (EADDRINUSE, .ip): "another process listens there, or another listener of this one"
            case (EADDRINUSE, .unix): "another process listens there"
            case (EADDRNOTAVAIL, _): "no network interface of this machine has this address"
            case (EACCES, .ip(_, let port)) where port < 1024:
                "no permission for a port below 1024 (CAP_NET_BIND_SERVICE, or a socket that systemd opens)"
            case (EAFNOSUPPORT, _): "this machine has no such addresses"
            default: String(cString: strerror(errno))
            }
        }
    }
}
