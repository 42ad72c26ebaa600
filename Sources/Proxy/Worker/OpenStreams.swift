import Downstream
import Flow
import NIOCore
import Observability

/// The open streams of one event loop, and those of them that have their own addresses.
final class OpenStreams {
    /// In no order; each has its index, so that none is hashed.
    private var streams: [Stream] = []
    private var named: [StreamId: Stream] = [:]
    private let registry: StreamRegistry
    private let gauge: BufferGauge.Cell
    /// `nil` if the access log does not report on running streams.
    private let progress: ProgressLog?
    /// `nil` until the proxy stops.
    private var draining: DrainingStreams?

    init(registry: StreamRegistry, gauge: BufferGauge.Cell, progress: ProgressLog?) {
        (self.registry, self.gauge, self.progress) = (registry, gauge, progress)
    }

    var count: Int { streams.count }
    var all: some Sequence<Stream> { streams }

    /// The stream with this address; `nil` if it is not open on this loop.
    subscript(id: StreamId) -> Stream? { named[id] }

    func add(_ stream: Stream) {
        stream.openIndex = streams.count
        streams.append(stream)
        progress?.add(stream)
        stream.account.metrics.tally.active += 1
        gauge.setOpenStreams(streams.count)
    }

    /// Removes a stream that is over; it has expired if its client did not fetch or resume it in time.
    func remove(_ stream: Stream, hasExpired: Bool) {
        let last = streams.removeLast()
        if last !== stream {
            last.openIndex = stream.openIndex
            streams[stream.openIndex] = last
        }
        progress?.remove(stream)
        stream.account.metrics.tally.active -= 1
        gauge.setOpenStreams(streams.count)
        // A plain response has no address, which saves its look-up.
        guard stream.isStream || stream.promise != nil, named.removeValue(forKey: stream.id) != nil else { return }
        registry.remove(stream.id, hasExpired: hasExpired)
        if let key = stream.request.resumption { registry.removeDetached(stream.id, by: key) }
    }

    /// Ends the streams one by one over that time.
    func drain(over grace: Duration, on timers: LoopTimers, at now: Instant) {
        draining = DrainingStreams(streams: self, timers: timers, over: grace, at: now)
    }

    func stopDraining() {
        draining?.stop()
        draining = nil
    }

    /// Gives a stream its own address; a second call changes nothing.
    func name(_ stream: Stream, on host: @autoclosure () -> NIOLoopBound<any StreamsHost>) {
        guard named.updateValue(stream, forKey: stream.id) == nil else { return }
        registry.add(stream.id, on: host())
    }
}
