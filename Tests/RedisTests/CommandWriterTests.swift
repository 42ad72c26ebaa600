import NIOCore
import Testing

@testable import Redis

@Suite struct CommandWriterTests {
    private func text(_ words: Int, _ write: (inout CommandWriter) -> Void) -> String {
        var writer = CommandWriter()
        writer.begin(words: words)
        write(&writer)
        return String(buffer: writer.bytes)
    }

    @Test func textsHaveTheirLengthInBytes() {
        #expect(text(1) { $0.write("\u{e9}\r\n") } == "*1\r\n$4\r\n\u{e9}\r\n\r\n")
        #expect(text(1) { $0.write("") } == "*1\r\n$0\r\n\r\n")
        #expect(text(1) { $0.write("weir:", "born") } == "*1\r\n$9\r\nweir:born\r\n")
    }

    @Test(arguments: [0, 7, 10, -1, 99_999, -1_000_000, .max, .min] as [Int64]) func numbersAreDecimal(number: Int64) {
        #expect(text(1) { $0.write(number) } == "*1\r\n$\("\(number)".utf8.count)\r\n\(number)\r\n")
    }

    @Test func whatWasSentIsNotChangedByTheNextCommands() {
        var writer = CommandWriter()
        writer.begin(words: 1)
        writer.write("A")
        let sent = writer.bytes
        writer.clear()
        writer.begin(words: 1)
        writer.write(5)
        #expect(String(buffer: sent) == "*1\r\n$1\r\nA\r\n")
        #expect(String(buffer: writer.bytes) == "*1\r\n$1\r\n5\r\n")
    }
}
