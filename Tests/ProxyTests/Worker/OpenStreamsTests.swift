import Flow
import NIOCore
import Observability
import Settings
import Testing

@testable import Proxy

@Suite struct OpenStreamsTests {
    private let bench: WorkerBench
    private let stream: Proxy.Stream
    private let registry = StreamRegistry()
    private let gauge = BufferGauge.Cell()
    private let streams: OpenStreams

    /// The streams under test are apart from the worker's own, which made the stream.
    init() throws {
        bench = try WorkerBench.waiting()
        _ = try bench.promise()
        stream = try #require(Array(bench.worker.streams.all).first)
        streams = OpenStreams(registry: registry, gauge: gauge, progress: nil)
    }

    private func name() { streams.name(stream, on: NIOLoopBound(bench.worker, eventLoop: bench.loop)) }

    private func place() -> String {
        switch registry.place(of: stream.id) {
        case .open: "open"
        case .expired: "expired"
        case .unknown: "unknown"
        }
    }

    @Test func aStreamIsCountedUntilItIsRemoved() {
        let active = bench.tally.active
        streams.add(stream)
        #expect((streams.count, gauge.openStreams, bench.tally.active) == (1, 1, active + 1))
        #expect(streams.all.contains { $0 === stream })
        streams.remove(stream, hasExpired: false)
        #expect((streams.count, gauge.openStreams, bench.tally.active) == (0, 0, active))
        #expect(!streams.all.contains { $0 === stream })
    }

    @Test func onlyAStreamWithAnAddressIsFoundByItsId() {
        streams.add(stream)
        #expect(streams[stream.id] == nil && place() == "unknown")
        name()
        #expect(streams[stream.id] === stream && place() == "open")
        streams.remove(stream, hasExpired: false)
        #expect(streams[stream.id] == nil && place() == "unknown")
    }

    @Test func aSecondAddressChangesNothing() {
        streams.add(stream)
        for _ in 0..<2 { name() }
        #expect(registry.count == 1)
        streams.remove(stream, hasExpired: false)
        #expect(registry.count == 0)
    }

    @Test(arguments: [true, false]) func onlyAStreamWithAnAddressExpires(hasAddress: Bool) {
        streams.add(stream)
        if hasAddress { name() }
        streams.remove(stream, hasExpired: true)
        #expect(place() == (hasAddress ? "expired" : "unknown"))
    }
}
