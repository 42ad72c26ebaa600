import Flow
import TestSupport
import Testing

/// Streams whose clients have left and may come back.
@Suite struct AdmissionDetachedTests {
    private let ann = ClientKey("ann"), ben = ClientKey("ben")
    private let now = Instant.seconds(100)

    private func stream(_ number: Int) throws -> StreamId {
        let digits = String(number, radix: 16)
        return try #require(StreamId(String(repeating: "0", count: 32 - digits.count) + digits))
    }

    @Test func theOldestGivesItsSlotToTheNextStartOfItsClient() throws {
        var admission = Admission(limits: .init(perClient: 2))
        let (first, second) = (try stream(1), try stream(2))
        try admission.admit(ann, at: now)
        try admission.admit(ann, at: now)
        admission.detached(first, of: ann, until: now + .seconds(30))
        admission.detached(second, of: ann, until: now + .seconds(31))
        #expect(try admission.admit(ann, at: now).displaced == first)
        #expect(admission.attached(first, of: ann) == false)
        #expect(admission.openStreams == 2)
        #expect(admission.attached(second, of: ann) == true)
        #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 2)) { try admission.admit(ann, at: now) }
        // The displaced stream ends without a slot.
        admission.released(ann, isStream: false)
        admission.released(ann)
        admission.released(ann)
        #expect((admission.openStreams, admission.openRequests) == (0, 0))
    }

    @Test func itKeepsItsSlotWhereThereIsAnother() throws {
        var admission = Admission(limits: .init(perClient: 2))
        try admission.admit(ann, at: now)
        admission.detached(try stream(1), of: ann, until: now + .seconds(30))
        #expect(try admission.admit(ann, at: now).displaced == nil)
        #expect(admission.streamsLeft(of: ann) == 0)
    }

    @Test func itsSlotOfAFullRouteIsItsClientsOnly() throws {
        var admission = Admission(limits: .init(perRoute: 2))
        try admission.admit(ann, at: now)
        try admission.admit(ben, at: now)
        admission.detached(try stream(1), of: ann, until: now + .seconds(30))
        #expect(throws: AdmissionError.tooManyStreamsOfRoute(limit: 2, retryAfter: .seconds(25))) {
            try admission.admit(ben, at: now + .seconds(5))
        }
        #expect(try admission.admit(ann, at: now).displaced == stream(1))
        #expect(throws: AdmissionError.tooManyStreamsOfRoute(limit: 2)) { try admission.admit(ann, at: now) }
    }

    @Test func theEarliestEndIsWhenAFullRouteHasASlotAtTheLatest() throws {
        var admission = Admission(limits: .init(perRoute: 3))
        for number in 1...3 {
            try admission.admit(ann, at: now)
            admission.detached(try stream(number), of: ann, until: now + .seconds(number * 10))
        }
        func refusedFor() -> Duration? {
            do throws(AdmissionError) {
                try admission.admit(ben, at: now)
                return nil
            } catch {
                return error.retryAfter
            }
        }
        #expect(refusedFor() == .seconds(10))
        #expect(try admission.attached(stream(1), of: ann) == true)
        #expect(refusedFor() == .seconds(20))
        admission.detached(try stream(1), of: ann, until: now + .seconds(15))
        #expect(refusedFor() == .seconds(15))
        for number in 1...3 { #expect(try admission.attached(stream(number), of: ann) == true) }
        #expect(refusedFor() == .seconds(1))
    }

    @Test func aDetachedStreamMayGetAnotherEnd() throws {
        var admission = Admission(limits: .init(perRoute: 1))
        try admission.admit(ann, at: now)
        admission.detached(try stream(1), of: ann, until: now)
        for seconds in [40, 0, 30] {
            admission.changeEnd(of: try stream(1), to: now + .seconds(seconds))
            #expect(throws: AdmissionError.tooManyStreamsOfRoute(limit: 1, retryAfter: .seconds(seconds))) {
                try admission.admit(ben, at: now)
            }
        }
        #expect(try admission.admit(ann, at: now).displaced == stream(1))
        admission.changeEnd(of: try stream(1), to: now + .seconds(50))
        let isReturned = try admission.returnSlot(to: stream(1), of: ann)
        admission.released(ann)
        #expect(isReturned)
        #expect(throws: AdmissionError.tooManyStreamsOfRoute(limit: 1, retryAfter: .seconds(50))) {
            try admission.admit(ben, at: now)
        }
        #expect(try admission.attached(stream(1), of: ann) == true)
        admission.changeEnd(of: try stream(1), to: now)
        admission.released(ann)
        #expect((admission.openStreams, admission.openRequests) == (0, 0))
    }

    @Test func aRefusalForStartsDisplacesNothing() throws {
        let rate = try Rate.of("1/hour")
        var admission = Admission(limits: .init(perClient: 1, starts: rate))
        try admission.admit(ann, at: now)
        admission.detached(try stream(1), of: ann, until: now + .seconds(30))
        #expect(throws: AdmissionError.tooManyStarts(rate: rate, retryAfter: .seconds(3600))) {
            try admission.admit(ann, at: now)
        }
        #expect(try admission.attached(stream(1), of: ann) == true)
        #expect(admission.openStreams == 1)
    }

    @Test func inADryRunNothingIsDisplaced() throws {
        var admission = Admission(limits: .init(perClient: 1, isDryRun: true))
        try admission.admit(ann, at: now)
        admission.detached(try stream(1), of: ann, until: now + .seconds(30))
        let admitted = try admission.admit(ann, at: now)
        #expect(admitted == .init(wouldRefuse: .tooManyStreamsOfClient(limit: 1)))
        #expect(try admission.attached(stream(1), of: ann) == true)
    }

    /// Random walks: no slot is counted twice or lost, whichever stream displaces another.
    @Test(arguments: 0..<100) func eachSlotHasOneHolder(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let limits = (client: Int.random(in: 1...3, using: &random), route: Int.random(in: 2...6, using: &random))
        var admission = Admission(limits: .init(perClient: limits.client, perRoute: limits.route))
        // Open streams with their client, and whether they are detached; those without a slot have yet to hear of it.
        var open: [(id: Int, client: Int, isDetached: Bool, hasSlot: Bool)] = []
        var next = 0
        func key(_ client: Int) -> ClientKey { ClientKey("\(client)") }
        for _ in 0..<500 {
            let client = Int.random(in: 0..<4, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                let own = open.filter { $0.client == client && $0.hasSlot }
                let isFull = own.count >= limits.client || open.count(where: \.hasSlot) >= limits.route
                let detached = own.contains(where: \.isDetached)
                do throws(AdmissionError) {
                    let admitted = try admission.admit(key(client), at: now)
                    #expect(!isFull || detached)
                    #expect((admitted.displaced != nil) == isFull)
                    if let displaced = admitted.displaced {
                        let index = open.firstIndex { (try? stream($0.id)) == displaced } ?? 0
                        #expect(open[index].client == client && open[index].isDetached && open[index].hasSlot)
                        open[index].hasSlot = false
                    }
                    next += 1
                    open.append((next, client, false, true))
                } catch {
                    #expect(isFull && !detached)
                }
            case 2 where !open.isEmpty:
                let index = Int.random(in: 0..<open.count, using: &random)
                guard !open[index].isDetached else { continue }
                open[index].isDetached = true
                let (id, client) = (open[index].id, open[index].client)
                admission.detached(try stream(id), of: key(client), until: now + .seconds(id))
            case 3 where !open.isEmpty:
                let index = Int.random(in: 0..<open.count, using: &random)
                guard open[index].isDetached, open[index].hasSlot else { continue }
                #expect(try admission.attached(stream(open[index].id), of: key(open[index].client)) == true)
                open[index].isDetached = false
            case 4 where !open.isEmpty:
                let ended = open.remove(at: Int.random(in: 0..<open.count, using: &random))
                let hasSlot = ended.isDetached ? admission.attached(try stream(ended.id), of: key(ended.client)) : true
                #expect(hasSlot == ended.hasSlot)
                admission.released(key(ended.client), isStream: hasSlot)
            default: break
            }
            #expect(admission.openStreams == open.count(where: \.hasSlot))
            #expect(admission.openRequests == open.count)
        }
    }
}
