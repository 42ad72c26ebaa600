import CCurl
import Glibc
import NIOCore
import NIOPosix

/// Calls back on its event loop, after the loop has looked at its sockets once more.
///
/// An eventfd that NIO reads like a pipe. `EventLoop.execute` would not do: NIO runs tasks until none is left before it
/// looks at its sockets again, so work that asks for its next turn that way starves everything else.
final class LoopWakeup {
    /// Who closes the eventfd.
    private enum State {
        case idle
        case listening(any Channel)
        /// It is closed, and its number may be another file's.
        case stopped
    }

    /// The eventfd; adding to it is a signal.
    let descriptor: CInt
    private let loop: any EventLoop
    private var state = State.idle
    private var woken: () -> Void = {}

    init(on loop: any EventLoop) throws {
        self.loop = loop
        descriptor = eventfd(0, CInt(EFD_NONBLOCK) | CInt(EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError(call: "eventfd") }
    }

    /// Begins to listen; to be called on the loop.
    ///
    /// - Parameter woken: Called on the loop, once for all signals since the last call.
    /// - Returns: When it listens; from then on the descriptor belongs to the channel. A failure after ``stop()``.
    func start(woken: @escaping () -> Void) -> EventLoopFuture<Void> {
        guard case .idle = state else { return loop.makeFailedFuture(SystemError.stopped) }
        self.woken = woken
        let bound = NIOLoopBound(self, eventLoop: loop)
        return NIOPipeBootstrap(group: loop)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    bound.value.state = .listening(channel)
                    try channel.pipeline.syncOperations.addHandler(WakeupHandler(wakeup: bound.value))
                }
            }
            .takingOwnershipOfDescriptor(input: descriptor)
            .map { _ in }
    }

    /// Does nothing after ``stop()``.
    func signal() {
        if case .stopped = state { return }
        eventfd_write(descriptor, 1)
    }

    /// Closes the eventfd and releases the callback.
    func stop() {
        woken = {}
        switch state {
        case .idle: close(descriptor)
        case .listening(let channel): channel.close(promise: nil)
        case .stopped: break
        }
        state = .stopped
    }

    fileprivate func wasRead() { woken() }
}

private final class WakeupHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let wakeup: LoopWakeup

    init(wakeup: LoopWakeup) { self.wakeup = wakeup }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { wakeup.wasRead() }

    /// No handler follows that must be notified.
    func channelReadComplete(context: ChannelHandlerContext) {}
}
