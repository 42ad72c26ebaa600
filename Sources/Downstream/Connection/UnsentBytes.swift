import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

extension Channel {
    /// Bytes that were written here and that the socket has not taken.
    var heldBytes: Int { (try? syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// Bytes that were written here and that the other end's kernel has not acknowledged: the channel's own and those in
    /// the socket's send queue (`SIOCOUTQ`, tcp(7)).
    ///
    /// A unix socket has no acknowledgements: the kernel counts what the other end has not read, in units of its own
    /// buffers and with their overhead. One system call; 0 of a channel that is closed or has no socket.
    var unsentBytes: Int {
        let queued = try? pipeline.syncOperations.withUnsafeTransportIfAvailable { (socket: NIOBSDSocket.Handle) in
            var bytes: CInt = 0
            return ioctl(socket, UInt(TIOCOUTQ), &bytes) == 0 ? Int(bytes) : 0
        }
        return heldBytes + (queued ?? 0)
    }
}
