import CCurl
import Glibc
import NIOCore
import NIOPosix

/// Calls back on its event loop, after the loop has looked at its sockets once more.
///
/// An eventfd that NIO reads like a pipe. `EventLoop.execute` would not do: NIO runs tasks until none is left before it
/// looks at its sockets again, so work that asks for its next turn that way starves everything else.
final class LoopWakeup {
    /// The eventfd; whoever adds to it rings.
    let descriptor: CInt
    private let loop: any EventLoop
    private var channel: (any Channel)?
    private var rang: () -> Void = {}

    init(on loop: any EventLoop) throws {
        self.loop = loop
        descriptor = eventfd(0, CInt(EFD_NONBLOCK) | CInt(EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError(call: "eventfd") }
    }

    /// Begins to listen; to be called on the loop.
    ///
    /// - Parameter rang: Is called on the loop; once for all rings since the last call.
    /// - Returns: When it listens; from then on the descriptor belongs to the channel.
    func start(rang: @escaping () -> Void) -> EventLoopFuture<Void> {
        self.rang = rang
        let bound = NIOLoopBound(self, eventLoop: loop)
        return NIOPipeBootstrap(group: loop)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    bound.value.channel = channel
                    try channel.pipeline.syncOperations.addHandler(BellHandler(bell: bound.value))
                }
            }
            .takingOwnershipOfDescriptor(input: descriptor)
            .map { _ in }
    }

    func ring() { eventfd_write(descriptor, 1) }

    /// Closes the eventfd and lets go of whoever is called.
    func stop() {
        rang = {}
        channel?.close(promise: nil)
        channel = nil
    }

    fileprivate func wasRead() { rang() }
}

private final class BellHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let bell: LoopWakeup

    init(bell: LoopWakeup) { self.bell = bell }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { bell.wasRead() }
}
