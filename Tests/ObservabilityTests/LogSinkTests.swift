import Observability
import Synchronization
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

@Suite struct LogSinkTests {
    @Test func writesLinesInOrderAndWholeAndAppends() throws {
        let directory = try TemporaryDirectory()
        for round in 0..<2 {
            let sink = try LogSink(.file(path: "\(directory.path)/log"))
            for number in 0..<1000 { sink.write(Array("\(round) \(number)".utf8)) }
            #expect(sink.close(within: .seconds(60)))
            #expect(sink.lost == 0)
        }
        let expected = (0..<2).flatMap { round in (0..<1000).map { "\(round) \($0)\n" } }.joined()
        #expect(try directory.text(of: "log") == expected)
    }

    @Test func linesOfManyThreadsDoNotMix() async throws {
        let directory = try TemporaryDirectory()
        let sink = try LogSink(.file(path: "\(directory.path)/log"))
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<500 { sink.write(Array("\(writer) \(number)".utf8)) }
                }
            }
        }
        #expect(sink.close(within: .seconds(60)))
        let lines = try directory.text(of: "log").split(separator: "\n").map(String.init)
        #expect(lines.count == 4000)
        for writer in 0..<8 {
            #expect(lines.filter { $0.hasPrefix("\(writer) ") } == (0..<500).map { "\(writer) \($0)" })
        }
    }

    @Test func whatAReaderDoesNotTakeIsBoundedAndCounted() throws {
        let pipe = try Pipe()
        let filled = pipe.fill()
        let sink = try LogSink(.descriptor(pipe.writeEnd), capacity: 100)
        for _ in 0..<1000 { sink.write(Array("123456789".utf8)) }
        // Ten lines wait, and at most ten are being written.
        #expect((980...990).contains(sink.lost))
        #expect(!sink.close(within: .milliseconds(1)))
        let kept = 1000 - sink.lost
        let text = pipe.read(filled + kept * 10).dropFirst(filled)
        #expect(sink.close(within: .seconds(60)))
        #expect(String(decoding: text, as: UTF8.self) == String(repeating: "123456789\n", count: kept))
    }

    @Test func aNoticeReplacesLostLinesOnceTheReaderReadsAgain() throws {
        let pipe = try Pipe()
        let filled = pipe.fill()
        let sink = LogSink(descriptor: pipe.writeEnd, capacity: 100, lossNotice: { Array("\($0) lost".utf8) })
        for _ in 0..<1000 { sink.write(Array("123456789".utf8)) }
        let lost = sink.lost
        let lines = 1000 - lost
        #expect(pipe.read(filled).count == filled)
        var (written, reported) = (0, 0)
        while reported < lost {
            let line = pipe.line()
            if let count = Int(line.dropLast(" lost".count)), line.hasSuffix(" lost") {
                reported += count
            } else {
                try #require(line == "123456789")
                written += 1
            }
        }
        #expect((written, reported) == (lines, lost))
        // Each loss is reported once.
        sink.write(Array("next".utf8))
        #expect(sink.close(within: .seconds(60)))
        #expect(String(decoding: pipe.read(5), as: UTF8.self) == "next\n")
        #expect(sink.lost == lost)
    }

    @Test func aNoticeThatCannotBeWrittenIsNoLoss() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        let sink = LogSink(descriptor: ends[1], capacity: 1000, lossNotice: { Array("\($0) lost".utf8) })
        for _ in 0..<3 { sink.write(Array("line".utf8)) }
        #expect(sink.close(within: .seconds(60)))
        #expect(sink.lost == 3)
    }

    @Test(arguments: [
        (LogSinkError.cannotOpen(path: "/x/log", errno: ENOENT), "/x/log cannot be opened: No such file or directory"),
        (.cannotOpen(path: "pipe", errno: ENXIO), "pipe cannot be opened: no process reads this pipe"),
        (.cannotWrite(errno: ENOSPC), "lines cannot be written: No space left on device"),
    ])
    func anErrorIsASentenceForOperators(error: LogSinkError, text: String) { #expect("\(error)" == text) }

    @Test func aLineThatCanNeverFitIsLost() throws {
        let directory = try TemporaryDirectory()
        let sink = try LogSink(.file(path: "\(directory.path)/log"), capacity: 10)
        sink.write(Array("1234567890".utf8))
        #expect(sink.lost == 1)
        sink.write(Array("123456789".utf8))
        #expect(sink.close(within: .seconds(60)))
        #expect(try directory.text(of: "log") == "123456789\n")
    }

    @Test func afterARotationEarlierLinesAreInTheOldFileAndLaterOnesInTheNew() throws {
        let directory = try TemporaryDirectory()
        let sink = try LogSink(.file(path: "\(directory.path)/log"))
        sink.write(Array("before".utf8))
        try directory.rename("log", to: "log.1")
        sink.reopen()
        sink.write(Array("after".utf8))
        #expect(sink.close(within: .seconds(60)))
        #expect(try directory.text(of: "log.1") == "before\n")
        #expect(try directory.text(of: "log") == "after\n")
    }

    @Test func ifTheNewFileCannotBeOpenedTheOldOneIsKeptAndTheErrorReported() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/log"
        let failures = Failures()
        let sink = try LogSink(.file(path: path), failed: { failures.append($0) })
        try directory.rename("log", to: "log.1")
        try #require(mkdir(path, 0o700) == 0)
        sink.reopen()
        sink.write(Array("line".utf8))
        #expect(sink.close(within: .seconds(60)))
        #expect(try directory.text(of: "log.1") == "line\n")
        #expect(failures.all == [.cannotOpen(path: path, errno: EISDIR)])
    }

    @Test func aPipeWithoutAReaderLosesLinesAndNotTheProcess() throws {
        let failures = Failures()
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        let sink = try LogSink(.descriptor(ends[1]), failed: { failures.append($0) })
        for _ in 0..<100 { sink.write(Array("line".utf8)) }
        #expect(sink.close(within: .seconds(60)))
        #expect(sink.lost == 100)
        #expect(failures.all == [.cannotWrite(errno: EPIPE)])
    }

    /// In a process of its own, for it limits the size of files to make a write end within a line.
    @Test func aWriteThatEndsWithinALineBreaksThatLineOnly() async {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let sink = try LogSink(.file(path: "\(directory.path)/log"))
            let fileSize = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
            var limit = rlimit()
            try #require(getrlimit(fileSize, &limit) == 0)
            let before = limit
            limit.rlim_cur = 15
            try #require(setrlimit(fileSize, &limit) == 0)
            for _ in 0..<2 { sink.write(Array("123456789".utf8)) }
            while sink.lost == 0 { await Task.yield() }
            limit = before
            try #require(setrlimit(fileSize, &limit) == 0)
            sink.write(Array("next".utf8))
            #expect(sink.close(within: .seconds(60)))
            #expect(sink.lost == 1)
            #expect(try directory.text(of: "log") == "123456789\n12345\nnext\n")
        }
    }

    @Test func aFileThatCannotBeOpenedIsAnErrorAtTheStart() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/missing/log"
        #expect(throws: LogSinkError.cannotOpen(path: path, errno: ENOENT)) { try LogSink(.file(path: path)) }
    }

    @Test func afterItWasClosedLinesAreLostAndClosingAgainIsHarmless() throws {
        let directory = try TemporaryDirectory()
        let sink = try LogSink(.file(path: "\(directory.path)/log"))
        #expect(sink.close(within: .seconds(60)))
        sink.write(Array("late".utf8))
        #expect(sink.lost == 1)
        #expect(sink.close(within: .seconds(60)))
        #expect(try directory.text(of: "log").isEmpty)
    }

    private final class Failures: Sendable {
        private let errors = Mutex<[LogSinkError]>([])
        var all: [LogSinkError] { errors.withLock { $0 } }
        func append(_ error: LogSinkError) { errors.withLock { $0.append(error) } }
    }
}
