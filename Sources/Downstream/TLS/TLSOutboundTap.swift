import NIOCore

/// The end of a pipeline with TLS at the socket: counts the bytes on the wire, and can close without `close_notify`.
final class TLSOutboundTap: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    /// All bytes since the connection began, as TLS encrypted them.
    private(set) var written = 0

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        written += unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
    }

    /// Closes the connection at once, without `close_notify`, which the client would have to answer.
    func cut() { context?.close(promise: nil) }
}
