import Logging
import Observability
import Testing

@Suite struct ProcessLogTests {
    @Test func aStalledReaderBlocksNoLoggerAndGetsTheNumberOfLostLines() throws {
        let pipe = try Pipe()
        let filled = pipe.fill()
        let log = ProcessLog(level: .info, to: pipe.writeEnd, capacity: 2000)
        for number in 0..<1000 { log.logger.notice("breaker", metadata: ["number": "\(number)"]) }
        let lost = log.lost
        #expect(lost > 900)
        #expect(!log.close(within: .milliseconds(1)))
        _ = pipe.read(filled)
        var (written, reported) = (0, 0)
        while reported < lost {
            let line = pipe.line()
            if let count = line.firstRange(of: "log lines were lost lines=") {
                reported += try #require(Int(line[count.upperBound...]))
            } else {
                try #require(line.contains(" notice breaker number="))
                written += 1
            }
        }
        #expect(log.close(within: .seconds(60)))
        #expect((written, reported) == (1000 - lost, lost))
    }

    @Test func textIsWrittenBetweenTheRecords() throws {
        let pipe = try Pipe()
        let log = ProcessLog(level: .warning, to: pipe.writeEnd)
        log.logger.info("below the level")
        log.write(text: "two\nlines")
        #expect(log.close(within: .seconds(60)))
        #expect(String(decoding: pipe.read(10), as: UTF8.self) == "two\nlines\n")
        #expect(log.lost == 0)
    }
}
