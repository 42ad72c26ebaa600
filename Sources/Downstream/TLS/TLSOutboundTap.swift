import NIOCore

/// The end of a pipeline with TLS at the socket: knows what goes on the wire, and can do without TLS's manners.
final class TLSOutboundTap: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    /// All bytes that were written since the connection began, as TLS made them.
    private(set) var written = 0

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        written += unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
    }

    /// Closes the connection at once, without a farewell that the client would have to answer.
    func cut() { context?.close(promise: nil) }
}
