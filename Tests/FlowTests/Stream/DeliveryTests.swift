import Testing

@testable import Flow

@Suite struct DeliveryTests {
    private func step(pending: Int, bound: ByteCount = .mebibytes(1)) -> Int? {
        Delivery(handedOver: 10_000_000, pending: pending, bound: bound).step
    }

    @Test func aQuarterOfALargeRecordIsAStepUpToHalfOfTheBound() {
        #expect(step(pending: 250_000) == 62_500)
        #expect(step(pending: 4_000_000) == 512 << 10)
        #expect(step(pending: 4_000_000, bound: .mebibytes(6)) == 1_000_000)
        #expect(step(pending: 70_000, bound: ByteCount(1)) == 1)
    }

    @Test func ofABatchThereIsNone() {
        #expect(step(pending: 0) == nil)
        #expect(step(pending: 64 << 10) == nil)
    }

    @Test func whatIsPendingIsNotSent() {
        #expect(Delivery(handedOver: 90, pending: 40, bound: .mebibytes(1)).sent == 50)
    }
}
