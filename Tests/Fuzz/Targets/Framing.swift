import Flow

/// A stream and how it goes through a queue: five bytes that select the queue, and the stream.
struct Framing {
    private let framer: RecordFramer
    private let overflow: Overflow
    private let bounds: RecordQueue.Bounds
    private let seed: UInt8
    private let stream: UnsafeRawBufferPointer

    init?(_ input: UnsafeRawBufferPointer) {
        guard input.count >= 5 else { return nil }
        let framers = RecordFramer.allCases, overflows = Overflow.allCases
        framer = framers[Int(input[0]) % framers.count]
        overflow = overflows[Int(input[0]) / framers.count % overflows.count]
        bounds = .init(
            records: 1 + Int(input[1]) % 16, bytes: ByteCount(64 + Int(input[2]) * 16),
            record: ByteCount(8 + Int(input[3]) * 4))
        seed = input[4]
        stream = input.from(5)
    }

    /// What came of it.
    private struct Outcome: Equatable {
        var output: [UInt8] = []
        var records = 0
        var hasFailed = false
    }

    /// What leaves is framed as what came was; without drops it is the same however it came and left.
    func check() throws {
        let whole = try pass(most: max(1, stream.count), hasCredit: true)
        let cut = try pass(most: 1 + Int(seed) % 40, hasCredit: false)
        for outcome in [whole, cut] { try checkFraming(of: outcome) }
        guard !overflow.drops else { return }
        try require(
            whole == cut, "cut differently: \(whole.records), \(cut.records), \(whole.hasFailed), \(cut.hasFailed)")
        try require(stream.starts(with: whole.output), "what left is not what came")
    }

    private func checkFraming(of outcome: Outcome) throws {
        // A text without an RS, which no sequence has, may follow one that lacks its end, when what was
        // between them is dropped: for a reader both are broken.
        guard framer != .opaque, framer != .sequence || !overflow.drops else { return }
        try outcome.output.withUnsafeBytes { output in
            let run: RecordFramer.Run
            do throws(RecordFramer.Failure) {
                run = try framer.run(in: output, maximum: bounds.record)
            } catch {
                throw FuzzFailure(description: "a record that is too long left")
            }
            let last = framer.last(in: output.from(run.bytes))
            let framed = run.records + last.records
            try require(framed == outcome.records, "\(outcome.records) left, \(framed) are framed")
        }
    }

    private func pass(most: Int, hasCredit: Bool) throws -> Outcome {
        var queue = StreamQueue(framer: framer, bounds: bounds, overflow: overflow)
        var outcome = Outcome(), dice = Dice(seed: seed)
        func count(_ run: RecordFramer.Run, _ out: [UInt8], credit: Int) throws {
            try require(run.bytes == out.count, "what left is not what was counted")
            try require(run.records <= credit, "more left than may")
            outcome.output += out
            outcome.records += run.records
        }
        func take(credit: Int, limit: Int) throws -> Bool {
            var out: [UInt8] = []
            let run = try queue.take(credit: credit, limit: limit) { out += $0 }
            try count(run, out, credit: credit)
            return run.bytes > 0
        }
        do {
            try stream.cut(upTo: most, seed: seed) { piece in
                let credit = hasCredit ? Int.max : Int.random(in: 0...3, using: &dice)
                let limit = hasCredit ? Int.max : Int.random(in: 1...200, using: &dice)
                var out: [UInt8] = []
                let run = try queue.push(piece, credit: credit, limit: limit) { out += $0 }
                try count(run, out, credit: credit)
                if overflow.drops { try require(queue.records <= bounds.records, "the bound does not hold") }
            }
            try queue.finish()
        } catch is RecordFramer.Failure {
            outcome.hasFailed = true
            queue.dropUnframed()
        }
        do {
            while queue.hasOutput, try take(credit: hasCredit ? .max : 1, limit: .max) {}
        } catch is RecordFramer.Failure {
            outcome.hasFailed = true
        }
        return outcome
    }
}
