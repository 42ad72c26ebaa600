import NIOCore
import NIOPosix

@testable import Redis

/// A server that answers each command as the test says, on one of the addresses of the machine itself.
final class FakeServer: Sendable {
    /// The bytes of the answer; `nil` to send nothing, and an empty text to close the connection.
    typealias Answer = @Sendable ([String]) -> String?

    private let channel: any Channel

    private init(_ channel: any Channel) { self.channel = channel }

    var port: Int { channel.localAddress?.port ?? 0 }
    var address: ServerAddress { .host("127.0.0.1", port: port) }

    static func start(port: Int = 0, _ answer: @escaping Answer) async throws -> FakeServer {
        FakeServer(
            try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Handler(answer))
                    }
                }
                .bind(host: "127.0.0.1", port: port).get())
    }

    /// Stops to listen; connections stay open.
    func stop() async throws { try await channel.close().get() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let answer: Answer
        private var parser = ReplyParser()

        init(_ answer: @escaping Answer) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            parser.append(unwrapInboundIn(data))
            while let command = try? parser.next() {
                guard let text = answer(command.items?.compactMap(\.text) ?? []) else { continue }
                guard !text.isEmpty else { return context.close(promise: nil) }
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            }
        }
    }
}
