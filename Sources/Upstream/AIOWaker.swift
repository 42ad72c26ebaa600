import CCurl
import Glibc
import NIOCore
import NIOPosix

/// Wakes the loop by one AIO poll on the epoll descriptor; the completion rings an eventfd that NIO reads.
///
/// The poll is one-shot and looks at readiness when it is submitted: whoever drains first and arms last loses nothing in
/// between. A pending poll pins the file it watches, so it stands on the epoll descriptor only, never on a socket.
/// io_submit(2), IOCB_FLAG_RESFD.
final class AIOWaker: LoopWaker {
    private let aio: OpaquePointer
    private let watched: CInt
    private let bell: CInt
    private let loop: any EventLoop
    private let ready: () -> Void
    private var channel: (any Channel)?
    private var isArmed = false

    /// Whether this system permits AIO: some container sandboxes do not.
    static func isPermitted() -> Bool {
        guard let probe = weir_aio_create() else { return false }
        defer { weir_aio_destroy(probe) }
        let set = epoll_create1(CInt(EPOLL_CLOEXEC))
        let bell = makeBell()
        defer {
            close(set)
            close(bell)
        }
        return set >= 0 && bell >= 0 && weir_aio_poll(probe, set, bell) == 0
    }

    /// - Parameters:
    ///   - watched: The epoll descriptor.
    ///   - loop: The loop to wake.
    ///   - ready: Is called on the loop, once for each `arm()`.
    init(watching watched: CInt, on loop: any EventLoop, ready: @escaping () -> Void) throws {
        guard let aio = weir_aio_create() else { throw SystemError(call: "io_setup") }
        self.aio = aio
        bell = Self.makeBell()
        self.watched = watched
        self.loop = loop
        self.ready = ready
        guard bell >= 0 else { throw SystemError(call: "eventfd") }
    }

    deinit { weir_aio_destroy(aio) }

    func start() -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return NIOPipeBootstrap(group: loop)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    bound.value.channel = channel
                    try channel.pipeline.syncOperations.addHandler(BellHandler(waker: bound.value))
                }
            }
            .takingOwnershipOfDescriptor(input: bell)
            .map { _ in }
    }

    func arm() {
        guard !isArmed else { return }
        isArmed = true
        // No slot or no memory for the poll: ring ourselves, so that the next turn tries again rather than never.
        if weir_aio_poll(aio, watched, bell) != 0 { eventfd_write(bell, 1) }
    }

    func stop() {
        isArmed = false
        channel?.close(promise: nil)
        channel = nil
    }

    fileprivate func rang() {
        guard isArmed else { return }
        isArmed = false
        weir_aio_reap(aio)
        ready()
    }

    private static func makeBell() -> CInt { eventfd(0, CInt(EFD_NONBLOCK) | CInt(EFD_CLOEXEC)) }
}

private final class BellHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private weak var waker: AIOWaker?

    init(waker: AIOWaker) { self.waker = waker }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { waker?.rang() }
}
