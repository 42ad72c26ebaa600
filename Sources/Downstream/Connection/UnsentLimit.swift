import Flow
import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// How much a client's socket takes beyond what is in flight to the client (`TCP_NOTSENT_LOWAT`, tcp(7)).
///
/// Without a limit, the kernel takes megabytes before it reports that a client does not read: at 10 records of 1 KiB a second
/// the stall clock would only start after five minutes, and 3.4 MiB would have been fetched for a client that reads nothing.
struct UnsentLimit {
    /// Two batches, the limit of a new connection; measured to cost a bulk stream nothing.
    static let unmetered = ByteCount.kibibytes(128)
    /// A pace needs no more than keeps the socket from running dry.
    static let metered = ByteCount.kibibytes(16)

    static var option: ChannelOptions.Types.SocketOption { .tcpOption(.init(rawValue: TCP_NOTSENT_LOWAT)) }

    private var isMetered = false

    /// Sets the limit of the socket; one system call if it changes.
    mutating func set(isMetered: Bool, on channel: (any Channel)?) {
        guard isMetered != self.isMetered else { return }
        self.isMetered = isMetered
        // A unix socket has no such option; it reports a client that does not read without it.
        try? channel?.syncOptions?.setOption(Self.option, value: (isMetered ? Self.metered : Self.unmetered).bytes)
    }
}
