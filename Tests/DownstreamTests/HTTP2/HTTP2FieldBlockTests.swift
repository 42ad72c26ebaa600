import CNghttp2
import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct HTTP2FieldBlockTests {
    private func pairs(_ block: HTTP2FieldBlock) -> [[[UInt8]]] {
        var (block, pairs) = (block, [[[UInt8]]]())
        _ = block.withFields { fields, count in
            for field in UnsafeBufferPointer(start: fields, count: count) {
                pairs.append([
                    Array(UnsafeBufferPointer(start: field.name, count: field.namelen)),
                    Array(UnsafeBufferPointer(start: field.value, count: field.valuelen)),
                ])
            }
            return 0
        }
        return pairs
    }

    @Test func aResponseLosesWhatIsOfItsConnection() {
        var block = HTTP2FieldBlock()
        block.add([
            "Content-Type": "text/plain", "Connection": "close", "Keep-Alive": "timeout=5",
            "Transfer-Encoding": "chunked", "Upgrade": "h2c", "Proxy-Connection": "close", "X-Empty": "",
        ])
        #expect(pairs(block) == [["Content-Type", "text/plain"], ["X-Empty", ""]].map { $0.map { Array($0.utf8) } })
    }

    @Test func aBlockIsUsedAgain() {
        var block = HTTP2FieldBlock()
        for round in 0..<3 {
            block.removeAll()
            block.add(":status", "20\(round)")
            #expect(pairs(block) == [[Array(":status".utf8), Array("20\(round)".utf8)]])
        }
    }

    @Test func everyByteOfAValueIsKept() {
        var block = HTTP2FieldBlock()
        block.add("x", "a\u{80}\u{FF}")
        #expect(pairs(block) == [[[0x78], [0x61, 0x80, 0xFF]]])
    }
}
