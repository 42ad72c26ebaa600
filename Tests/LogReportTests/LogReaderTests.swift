import Testing

@testable import LogReport

@Suite struct LogReaderTests {
    /// The lines that a reader returns for the pieces; a failure is the last line.
    private func lines(_ pieces: [[UInt8]]) -> [String] {
        var reader = LogReader()
        var lines: [String] = []
        func take(_ line: UnsafeRawBufferPointer) { lines.append(String(decoding: line, as: UTF8.self)) }
        do throws(LogReader.Failure) {
            for piece in pieces {
                var failure: LogReader.Failure?
                piece.withUnsafeBytes { bytes in
                    do throws(LogReader.Failure) { try reader.push(bytes, line: take) } catch { failure = error }
                }
                if let failure { throw failure }
            }
            try reader.finish(line: take)
        } catch {
            lines.append("! \(error)")
        }
        return lines
    }

    private func cuts(_ bytes: [UInt8]) -> [[[UInt8]]] {
        var all = (0...bytes.count).map { [Array(bytes[..<$0]), Array(bytes[$0...])] }
        all.append(bytes.map { [$0] })
        return all
    }

    @Test(arguments: ["", "\n", "a", "a\n", "one\n\ntwo\r\nthree", "\u{1f}", "\u{1f}\n", "\u{1f}x\ny\n"])
    func textIsReadInAnySplit(text: String) {
        var expected = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if expected.last == "" { expected.removeLast() }
        if text.contains("\r\n") { expected = ["one", "", "two\r", "three"] }
        for pieces in cuts(Array(text.utf8)) { #expect(lines(pieces) == expected) }
    }

    @Test func gzipIsReadInAnySplit() throws {
        let packed = gzip("one\n\ntwo\n") + gzip("three")
        for pieces in cuts(packed) { #expect(lines(pieces) == ["one", "", "two", "three"]) }
    }

    @Test func bytesAfterTheLastMemberAreIgnored() throws {
        let packed = gzip("one\n") + [0, 0, 0x1F, 0x8B]
        for pieces in cuts(packed) { #expect(lines(pieces) == ["one"]) }
    }

    @Test func gzipThatEndsEarlyIsSaid() throws {
        let packed = gzip("one\ntwo\n")
        for length in 2..<packed.count {
            let readLines = lines([Array(packed[..<length])])
            #expect(readLines.last == "! cutShort")
            #expect("one\ntwo".hasPrefix(readLines.dropLast().joined(separator: "\n")))
        }
    }

    @Test func damagedGzipIsSaidWhateverByteItIs() throws {
        let packed = gzip("one\ntwo\n")
        // After the flags and the time, the operating system's number, which is not checked.
        for place in 10..<packed.count {
            var damaged = packed
            damaged[place] ^= 0x55
            let last = lines([damaged]).last
            #expect(last == "! damaged" || last == "! cutShort", "\(place)")
        }
    }

    @Test func anOverlongLineIsReadAsAnEmptyOne() {
        let most = LineSplitter.longestLine
        let long = Array(repeating: UInt8(ascii: "x"), count: most), newline = [UInt8(ascii: "\n")]
        #expect(lines([long + newline + Array("a\n".utf8)]).map(\.utf8.count) == [most, 1])
        #expect(lines([long + long + newline + Array("a\n".utf8)]).map(\.utf8.count) == [0, 1])
        #expect(lines([long, long, long + newline, Array("a\n".utf8)]).map(\.utf8.count) == [0, 1])
        #expect(lines([long, [UInt8(ascii: "x")]]).map(\.utf8.count) == [0])
    }
}
