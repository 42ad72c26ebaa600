import Flow
import Testing

@Suite struct ByteCountTests {
    @Test func countsInPowersOfTwo() {
        #expect(ByteCount.kibibytes(3).bytes == 3072)
        #expect(ByteCount.mebibytes(3).bytes == 3_145_728)
        #expect(ByteCount.gibibytes(3).bytes == 3_221_225_472)
    }

    @Test func addsAndCompares() {
        #expect(ByteCount(5) + ByteCount(7) == ByteCount(12))
        #expect(ByteCount.zero + ByteCount(1) > .zero)
        #expect(ByteCount(1023) < .kibibytes(1))
    }

    @Test func isNeverNegative() async {
        await #expect(processExitsWith: .failure) { _ = ByteCount(-1) }
    }

    @Test func doesNotWrapAroundWhereItOverflows() async {
        await #expect(processExitsWith: .failure) { _ = ByteCount.gibibytes(1 << 34) }
    }
}
