import Testing

@testable import Downstream

@Suite struct TakenBytesTests {
    /// The count of the connection may fall; that of the response must not.
    @Test func neverFalls() {
        var taken = TakenBytes(after: 100)
        #expect(taken.total == 0)
        for (observed, total) in [(40, 0), (100, 60), (130, 90), (120, 90), (150, 120)] {
            taken.observe(observed)
            #expect(taken.total == total)
        }
    }
}
