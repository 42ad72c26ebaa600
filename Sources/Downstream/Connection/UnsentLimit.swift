import Flow
import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// How much a client's socket takes in beyond what is under way to the client (`TCP_NOTSENT_LOWAT`, tcp(7)).
///
/// Left alone, the kernel takes megabytes before it says that a client does not read: at 10 records of 1 KiB a second the
/// stall clock would only begin after five minutes, and 3.4 MiB would have been fetched for a client that reads nothing.
enum UnsentLimit {
    /// Two batches: measured to cost a bulk stream nothing.
    static let unmetered = ByteCount.kibibytes(128)
    /// A pace needs no more than keeps the socket from running dry.
    static let metered = ByteCount.kibibytes(16)

    static var option: ChannelOptions.Types.SocketOption { .tcpOption(.init(rawValue: TCP_NOTSENT_LOWAT)) }
}
