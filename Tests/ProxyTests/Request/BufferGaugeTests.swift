import Flow
import Testing

@testable import Proxy

@Suite struct BufferGaugeTests {
    private let terms = Terms(
        pace: .unlimited, burst: 1, buffer: 100, maximumBytes: .kibibytes(100), maximumRecordBytes: .kibibytes(1))

    @Test func theLoopsPartsMakeTheSum() {
        let gauge = BufferGauge(loops: 3, maximum: .kibibytes(100))
        gauge.cells[0].add(60 << 10)
        gauge.cells[2].add(30 << 10)
        #expect(gauge.held == .kibibytes(90))
        #expect(!gauge.isExceeded)
        gauge.cells[1].add(20 << 10)
        #expect(gauge.isExceeded)
        gauge.cells[0].add(-(60 << 10))
        #expect(gauge.held == .kibibytes(50))
    }

    @Test func grantsShrinkAndAreRefused() throws {
        let gauge = BufferGauge(loops: 1, maximum: .kibibytes(100))
        #expect(gauge.granted(terms) == terms)
        gauge.cells[0].add(90 << 10)
        let shrunk = try #require(gauge.granted(terms))
        #expect(shrunk.buffer == 50)
        #expect(shrunk.maximumBytes == .kibibytes(50))
        gauge.cells[0].add(10 << 10)
        #expect(gauge.granted(terms) == nil)
    }

    @Test func theLargestHolderEndsFirst() {
        let gauge = BufferGauge(loops: 2, maximum: .kibibytes(100))
        gauge.cells[0].setOpenStreams(3)
        gauge.cells[1].setOpenStreams(1)
        gauge.cells[0].add(110 << 10)
        #expect(gauge.openStreams == 4)
        let held = [ByteCount.kibibytes(20), .kibibytes(60), .kibibytes(30)]
        #expect(gauge.streamsToEnd(holding: held, of: gauge.cells[0]) == [1])
        #expect(gauge.streamsToEnd(holding: [], of: gauge.cells[1]).isEmpty)
    }

    @Test func withoutACeilingNothingIsRefused() {
        let gauge = BufferGauge(loops: 1, maximum: nil)
        gauge.cells[0].add(1 << 40)
        #expect(gauge.granted(terms) == terms)
        #expect(!gauge.isExceeded)
        #expect(gauge.streamsToEnd(holding: [.gibibytes(1)], of: gauge.cells[0]).isEmpty)
    }
}
