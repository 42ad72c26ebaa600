import Flow
import NIOCore

/// What requests for a stream need of an event loop: of the one on which they arrive, and of the stream's.
protocol StreamsHost: StreamHost {
    var eventLoop: any EventLoop { get }
    var registry: StreamRegistry { get }
    /// The current configuration.
    var served: ServedConfiguration { get }

    /// The open stream of this loop with that id; `nil` if there is none.
    func stream(_ id: StreamId) -> Stream?

    /// Writes what was queued outside of a turn.
    func turnEnded()
}
