import Flow
import NIOCore

/// What requests that name a stream need of an event loop: of the one they arrive on, and of the stream's.
protocol StreamsHost: StreamHost {
    var eventLoop: any EventLoop { get }
    var registry: StreamRegistry { get }
    /// The present configuration.
    var served: ServedConfiguration { get }

    /// The open stream of this loop with that id; `nil` if there is none.
    func stream(_ id: StreamId) -> Stream?

    /// Writes what was caused outside of a turn.
    func turnEnded()
}
