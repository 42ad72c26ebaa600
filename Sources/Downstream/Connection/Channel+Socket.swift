import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

extension Channel {
    /// Bytes that were written to the channel and that the socket has not taken.
    var bufferedBytes: Int { (try? syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// Bytes that were written to the channel and that the peer's kernel has not acknowledged: the channel's own and those in
    /// the socket's send queue (`SIOCOUTQ`, tcp(7)).
    ///
    /// A unix socket has no acknowledgements: the kernel counts what the peer has not read, in units of its own buffers and
    /// with their overhead. One system call; 0 if the channel is closed or has no socket.
    var unsentBytes: Int {
        let queued = try? pipeline.syncOperations.withUnsafeTransportIfAvailable { (socket: NIOBSDSocket.Handle) in
            var bytes: CInt = 0
            return ioctl(socket, UInt(TIOCOUTQ), &bytes) == 0 ? Int(bytes) : 0
        }
        return bufferedBytes + (queued ?? 0)
    }

    /// Has the next close reset the connection: the kernel drops what it still has for the client (`SO_LINGER`, socket(7)).
    ///
    /// After a plain close the kernel offers it further, for minutes to a client that does not read, and only then does the
    /// client learn that its stream has ended.
    func resetWhenClosed() {
        if let socket = self as? any SocketOptionProvider {
            socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in }
        }
    }
}
