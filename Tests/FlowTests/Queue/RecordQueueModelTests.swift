import Flow
import TestSupport
import Testing

/// Random walks of a queue beside a model that holds its records as plain arrays.
@Suite struct RecordQueueModelTests {
    /// The lines that arrived and have not left, the last one perhaps unfinished.
    private struct Model {
        var bound: Int
        var lines: [[UInt8]] = []
        var isFinished = false

        mutating func arrived(_ bytes: [UInt8]) {
            for byte in bytes {
                if lines.isEmpty || lines.last?.last == 0x0A { lines.append([]) }
                lines[lines.count - 1].append(byte)
            }
        }

        func isWhole(_ line: [UInt8]) -> Bool { isFinished || line.last == 0x0A }

        static func isBlank(_ line: [UInt8]) -> Bool { line == [0x0A] || line == [0x0D, 0x0A] }

        /// The longest run of whole lines within all limits: what may leave.
        ///
        /// `looked` is how many records have been looked at; the blank lines after them may not have been.
        func run(credit: Int, limit: Int, looked: Int = .max) -> RecordFramer.Run {
            var run = RecordFramer.Run(records: 0, bytes: 0)
            for line in lines where isWhole(line) && run.records < looked {
                let records = run.records + (Self.isBlank(line) ? 0 : 1)
                guard records <= credit, run.bytes + line.count <= limit else { break }
                run = .init(records: records, bytes: run.bytes + line.count)
            }
            return run
        }

        var records: Int { lines.count { isWhole($0) && !Self.isBlank($0) } }

        /// Takes out what left; `nil` where that was not whole lines.
        mutating func left(_ bytes: [UInt8]) -> Int? {
            var rest = bytes[...]
            var records = 0
            while !rest.isEmpty {
                guard let line = lines.first, isWhole(line), rest.starts(with: line) else { return nil }
                if !Self.isBlank(line) { records += 1 }
                rest = rest.dropFirst(line.count)
                lines.removeFirst()
            }
            return records
        }
    }

    /// Checks one call: what left, that it was counted right, and that no more and no less left than was allowed.
    private func check(
        _ run: RecordFramer.Run, _ out: [UInt8], credit: Int, limit: Int, bypassesBound: Bool, _ model: inout Model
    ) {
        let least = model.run(credit: credit, limit: limit, looked: model.bound)
        let most = model.run(credit: bypassesBound ? credit : min(credit, model.bound), limit: limit)
        let allowed = least.bytes...most.bytes
        #expect(run.records <= credit)
        // Where nothing fits the byte limit, the first record leaves all the same, with the blank lines around it.
        if out.count > limit {
            #expect(least.bytes == 0 && run.records <= 1)
        } else {
            #expect(allowed.contains(out.count))
        }
        if credit > 0, limit > 0, model.records > 0 { #expect(run.bytes > 0) }
        #expect(limit > 0 || out.isEmpty)
        #expect(model.left(out) == run.records)
    }

    private static func piece(_ random: inout SeededGenerator) -> [UInt8] {
        let alphabet = Array("xyz\r\n\n\n".utf8)
        return (0..<Int.random(in: 0...40, using: &random)).map { _ in
            alphabet[Int.random(in: alphabet.indices, using: &random)]
        }
    }

    @Test(arguments: 0..<200) func agreesWithPlainLines(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let bound = Int.random(in: 1...8, using: &random), bytes = Int.random(in: 1...100, using: &random)
        let tap = RecordTap(records: bound, bytes: bytes)
        var model = Model(bound: bound)
        var before = 0
        for _ in 0..<300 {
            let credit = Bool.random(using: &random) ? Int.random(in: 0...10, using: &random) : 0
            let limit = Int.random(in: 0...60, using: &random)
            var run = RecordFramer.Run(records: 0, bytes: 0)
            // As the driver does: a full queue gets nothing more, but for what was on its way.
            let isOpen = !tap.isFull || Int.random(in: 0..<8, using: &random) == 0
            if Int.random(in: 0..<16, using: &random) == 0 {
                model.bound = max(Int.random(in: 1...8, using: &random), tap.records)
                tap.setRecordBound(model.bound)
            }
            let pushes = isOpen && Bool.random(using: &random)
            if pushes {
                let piece = Self.piece(&random)
                model.arrived(piece)
                run = try tap.push(piece, credit: credit, limit: limit)
            } else {
                run = try tap.take(credit, limit: limit)
            }
            check(
                run, Array(tap.output[before...]), credit: credit, limit: limit, bypassesBound: pushes, &model)
            before = tap.output.count
            #expect(tap.bytes == model.lines.reduce(0) { $0 + $1.count })
            #expect(tap.records == min(model.bound, model.records))
        }
        try tap.finish()
        model.isFinished = true
        while try tap.take(Int.random(in: 1...3, using: &random)).bytes > 0 { #expect(tap.records <= 8) }
        #expect(model.left(Array(tap.output[before...])) != nil)
        #expect(model.lines.isEmpty)
        #expect(tap.isEmpty)
        #expect(tap.peak <= 8)
    }
}
