import Testing

@testable import Downstream

@Suite struct HTTP2TakenBytesTests {
    @Test func whatTheWindowLetPassIsTaken() {
        var taken = HTTP2TakenBytes()
        taken.framed(10)
        taken.framed(5)
        #expect(taken.total == 15)
    }

    @Test func whatTheKernelTakesCountsFromTheFirstObservation() {
        var taken = HTTP2TakenBytes()
        for (unsent, total) in [(100, 0), (60, 40), (90, 40), (80, 50), (80, 50)] {
            taken.observe(unsent: unsent)
            #expect(taken.total == total)
        }
    }

    /// While the stream's window is closed, the kernel takes bytes of other streams.
    @Test func whatTheKernelTakesWhileTheWindowIsClosedIsNoProgress() {
        var taken = HTTP2TakenBytes()
        taken.observe(unsent: 100)
        taken.observe(unsent: nil)
        taken.observe(unsent: 20)
        #expect(taken.total == 0)
        taken.observe(unsent: 10)
        #expect(taken.total == 10)
    }
}
