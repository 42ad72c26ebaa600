import Flow
import Testing

@testable import Proxy

@Suite struct StreamHandleTests {
    private var generator = SystemRandomNumberGenerator()

    @Test mutating func namesAStreamWithoutItsId() {
        let (one, other) = (StreamId(using: &generator), StreamId(using: &generator))
        #expect(StreamHandle(of: one) == StreamHandle(of: one))
        #expect(StreamHandle(of: one) != StreamHandle(of: other))
        #expect(StreamHandle(of: one).text.utf8.count == 16)
        #expect(!one.text.contains(StreamHandle(of: one).text))
    }

    @Test mutating func isReadBackFromItsText() {
        for _ in 0..<1000 {
            let handle = StreamHandle(of: StreamId(using: &generator))
            #expect(StreamHandle(handle.text) == handle)
        }
        #expect(StreamHandle("000000000000000a")?.text == "000000000000000a")
    }

    @Test(arguments: [
        "", "a", "00000000000000a", "0000000000000000a", "000000000000000A", "+00000000000000a", "000000000000000g",
        "../state", "000000000000000a/",
    ])
    func whatHasAnotherFormNamesNoStream(text: String) {
        #expect(StreamHandle(text) == nil)
    }
}
