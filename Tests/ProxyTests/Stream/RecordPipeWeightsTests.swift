import Flow
import NIOHTTP1
import Settings
import TestSupport
import Testing

@testable import Downstream
@testable import Proxy

/// Records that count as many units as they weigh.
struct RecordPipeWeightsTests {
    private let response = FakeResponse()
    private let now = Instant.seconds(10)

    private func pipe(pace: String? = nil, _ change: (inout Route) -> Void = { _ in }) throws -> RecordPipe {
        var settings = Route(match: .init(path: "/"), upstreams: [UpstreamAddress(host: "origin", port: 9000)])
        settings.weight = Route.Weight(pointer: "/n")
        if let pace { settings.policy.defaultPace = .limited(try #require(Rate(pace))) }
        change(&settings)
        let terms = Terms(
            pace: settings.policy.defaultPace, burst: 1, buffer: settings.policy.defaultBuffer,
            maximumBytes: .kibibytes(4), maximumRecordBytes: .kibibytes(1))
        let pipe = RecordPipe(terms: terms, policy: settings.policy, response: response, at: now)
        pipe.begin(
            .ndjson, on: ProxyRoute(settings), reportsLosses: false,
            sharesBudget: settings.streams.clientRecords != nil,
            at: now)
        return pipe
    }

    private func records(_ weights: Int?...) -> String {
        weights.map { $0.map { "{\"n\":\($0)}" } ?? "{}" }.lines
    }

    private func push(_ text: String, into pipe: RecordPipe) -> RecordPipe.Sent {
        var text = text
        return text.withUTF8 { pipe.push(UnsafeRawBufferPointer($0), at: now) }
    }

    @Test func theNextRecordWaitsForTheWeightOfTheLast() throws {
        let pipe = try pipe(pace: "10/second")
        #expect(push(records(5, 1, nil, 2), into: pipe).run.records == 1)
        #expect(pipe.nextDue == now + .milliseconds(500))
        #expect(pipe.pump(isLast: false, at: now + .milliseconds(500)).run.records == 1)
        #expect(pipe.nextDue == now + .milliseconds(600))
        #expect(pipe.pump(isLast: false, at: now + .milliseconds(600)).run.records == 1)
        #expect(pipe.pump(isLast: false, at: now + .milliseconds(700)).run.records == 1)
        #expect(response.text == records(5, 1, nil, 2) && pipe.weights?.total == 9 && pipe.delivered == 4)
    }

    @Test func aRecordThatIsDueIsNotQueued() throws {
        let pipe = try pipe()
        #expect(push(records(5), into: pipe).run.records == 1 && pipe.queue.peak == 0 && pipe.weights?.total == 5)
        #expect(push(records(1, 2, 3), into: pipe).run.records == 3 && pipe.queue.peak == 2)
        #expect(response.text == records(5, 1, 2, 3) && pipe.weights?.total == 11)
    }

    /// Every split of the input gives the same output and the same sum.
    @Test(arguments: [Overflow.pause, .dropNewest, .dropOldest]) func chunksMayEndAnywhere(overflow: Overflow) throws {
        let text = "\n" + records(3, nil, 0) + "\r\n" + records(1_000_000_000, 4) + "no JSON\n\n"
        for split in 0...text.utf8.count {
            let response = FakeResponse()
            let pipe = try pipe { $0.overflow = overflow }
            pipe.attach(response, at: now)
            let first = push(String(text.prefix(split)), into: pipe).run
            let second = push(String(text.dropFirst(split)), into: pipe).run
            let last = pipe.pump(isLast: false, at: now).run
            #expect(response.text == text && pipe.queue.isEmpty)
            #expect(first.records + second.records + last.records == 6 && pipe.weights?.total == 10)
            #expect(first.bytes + second.bytes + last.bytes == text.utf8.count)
        }
    }

    @Test(arguments: [Overflow.pause, .dropNewest, .dropOldest, .disconnect])
    func aChunkOfMoreRecordsThanTheBufferPassesAtOnce(overflow: Overflow) throws {
        let pipe = try pipe {
            $0.overflow = overflow
            $0.policy.defaultBuffer = 2
        }
        let text = records(1, 2, 3, 4, 5, 6, 7)
        #expect(push(text, into: pipe).run.records == 7)
        #expect(response.text == text && pipe.queue.lost == 0 && pipe.queue.level == .low)
    }

    @Test func whatDoesNotFitIsDroppedWhileTheClientDoesNotRead() throws {
        let pipe = try pipe {
            $0.overflow = .dropOldest
            $0.policy.defaultBuffer = 2
        }
        response.openRoom = 0
        #expect(push(records(1, 2, 3), into: pipe).run.records == 0)
        response.openRoom = 100
        #expect(pipe.pump(isLast: false, at: now).run.records == 2 && response.text == records(2, 3))
        #expect(pipe.weights?.total == 5, "what was dropped weighs nothing")
    }

    @Test func aBudgetIsDrawnAndSettled() throws {
        let pipe = try pipe { $0.streams.clientRecords = .init(rate: Rate("10/second")) }
        #expect(push(records(5, 1), into: pipe).run.records == 0 && pipe.needsPump(at: now))
        #expect(pipe.pump(isLast: false, at: now).stop == .lease(records: 2))
        pipe.pacer.lease(2, notBefore: now)
        let sent = pipe.pump(isLast: false, at: now)
        #expect(sent.run.records == 1 && sent.stop == .lease(records: 1))
        #expect(pipe.pacer.settle() == 3)
    }

    @Test func theLastRecordOfARunningTotalDoesNotWaitForIt() throws {
        let pipe = try pipe(pace: "1/second") { $0.weight?.isCumulative = true }
        #expect(push(records(500, nil), into: pipe).run.records == 1)
        #expect(pipe.pump(isLast: false, at: now).run.records == 0)
        #expect(pipe.pump(isLast: true, at: now).run.records == 1 && pipe.weights?.total == 501)
        let other = try self.pipe(pace: "1/second")
        #expect(push(records(500, nil), into: other).run.records == 1)
        #expect(other.pump(isLast: true, at: now).run.records == 0, "a pace is one to the end")
    }

    @Test func aRecordThatIsTooLongFailsAfterThoseBeforeIt() throws {
        let pipe = try pipe()
        let long = String(repeating: "x", count: 2000)
        let pushed = push(records(1, 2) + long, into: pipe)
        #expect(pushed.stop == .failed(.recordTooLarge(limit: .kibibytes(1))))
        pipe.dropUnframed()
        let rest = pipe.pump(isLast: true, at: now)
        #expect(pushed.run.records + rest.run.records == 2 && response.text == records(1, 2))
    }
}
