import NIOCore
import Observability
import Proxy

/// The counts of the last minutes, for an operator who opens the live view during an incident; confined to the admin
/// listener's loop.
///
/// A sample every five seconds costs what a scrape of the metrics costs, and about 100 bytes for each route.
final class LiveHistory {
    private static let interval = TimeAmount.seconds(5)
    /// Five minutes.
    private static let most = 60

    private let proxy: OperatorInterface
    private let eventLoop: any EventLoop
    private var sample: LiveSample
    /// JSON objects, the oldest first.
    private var samples: [[UInt8]] = []

    init(of proxy: OperatorInterface, on eventLoop: any EventLoop) {
        (self.proxy, self.eventLoop) = (proxy, eventLoop)
        sample = LiveSample(at: proxy.now)
    }

    /// Begins to collect, until the loop is shut down.
    func start() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in bound.value.collect() }
    }

    /// A JSON array.
    var json: [UInt8] {
        var json: [UInt8] = [UInt8(ascii: "[")]
        for (index, sample) in samples.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            json += sample
        }
        return json + [UInt8(ascii: "]")]
    }

    private func collect() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        proxy.figures(on: eventLoop).whenSuccess { bound.value.add($0) }
    }

    private func add(_ figures: LoopFigures) {
        let earlier = sample
        sample = LiveSample(of: figures, at: proxy.now)
        let snapshot = LiveSnapshot(
            overview: LoopOverview(figures), routes: proxy.routes, breakers: [], upstreams: [],
            health: HealthReport(.init()), process: proxy.process, isDraining: false, takesActions: false,
            sample: sample, earlier: earlier)
        samples.append(snapshot.pastJSON(at: .now()))
        if samples.count > Self.most { samples.removeFirst(samples.count - Self.most) }
    }
}
