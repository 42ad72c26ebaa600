import Flow
import Settings
import Testing

@testable import Proxy

@Suite struct BufferReliefTests {
    private static let step = 256 << 10

    /// A worker with one stream that buffers 2 MiB, which its relief has not counted yet.
    private func bench(ceiling: ByteCount?, isDryRun: Bool = false) throws -> WorkerBench {
        let bench = try WorkerBench.waiting {
            $0.limits.maxBufferBytes = ceiling
            $0.limits.isDryRun = isDryRun
        }
        _ = try bench.promise()
        for stream in bench.worker.streams.all { _ = stream.account.countBytes(2 << 20) }
        return bench
    }

    private func grow(_ bench: WorkerBench, by bytes: Int = 2 << 20) {
        bench.worker.bufferChanged(by: bytes)
        bench.advance(by: .milliseconds(2))
    }

    @Test func theLargestHolderEndsWhileTheCeilingIsExceeded() throws {
        let bench = try bench(ceiling: .mebibytes(1))
        grow(bench)
        #expect(bench.worker.openStreams == 0)
        #expect(bench.test.shared.buffers.held == .zero)
        let lines = try bench.test.logLines()
        #expect(lines.map { $0["reason"] as? String } == ["cancelled"])
        #expect(lines.map { $0["problem"] as? String } == ["unavailable"])
    }

    @Test func belowTheCeilingAndWithoutOneNoStreamEnds() throws {
        for bench in [try bench(ceiling: .mebibytes(4)), try bench(ceiling: nil)] {
            grow(bench)
            #expect(bench.worker.openStreams == 1)
        }
    }

    @Test func inADryRunTheExcessIsLoggedAndNoStreamEnds() throws {
        let bench = try bench(ceiling: .mebibytes(1), isDryRun: true)
        grow(bench)
        #expect(bench.worker.openStreams == 1)
        let text = try bench.test.processText()
        #expect(text.contains("limits.max_buffer_bytes is exceeded") && text.contains("would_end=1"))
    }

    /// The ceiling is checked once for each 256 KiB, not for each record.
    @Test func theCeilingIsCheckedOnceTheStreamsHaveGrownEnough() throws {
        let bench = try bench(ceiling: .kibibytes(1))
        grow(bench, by: Self.step - 1)
        grow(bench, by: -1000)
        #expect(bench.worker.openStreams == 1)
        grow(bench, by: 1)
        #expect(bench.worker.openStreams == 0)
    }

    @Test func anExcessThatIsOverBeforeTheCheckEndsNoStream() throws {
        let bench = try bench(ceiling: .mebibytes(1))
        bench.worker.bufferChanged(by: 2 << 20)
        grow(bench, by: -(2 << 20))
        #expect(bench.worker.openStreams == 1)
    }

    @Test func afterItsStopNoStreamEnds() throws {
        let bench = try bench(ceiling: .mebibytes(1))
        let worker = bench.worker
        let relief = BufferRelief(
            shared: bench.test.shared, gauge: bench.test.shared.buffers.cells[0], streams: worker.streams,
            timers: worker.timers, clock: worker.clock)
        relief.bufferChanged(by: 2 << 20)
        relief.stop()
        bench.advance(by: .milliseconds(2))
        #expect(worker.openStreams == 1)
    }
}
