import Flow
import TestSupport
import Testing

/// Random walks of a queue that drops beside a model that holds its records as plain arrays.
@Suite struct DroppingQueueModelTests {
    enum Kind: CaseIterable { case oldest, newest, latest, latestByKey }

    /// What a queue does, said by reading every byte and looking through every record each time.
    private struct Model {
        struct Record {
            var number: Int
            var bytes: [UInt8]
            var key: UInt8?
        }

        let kind: Kind
        var bound: Int
        let byteBound: Int
        let reportsLosses: Bool
        var queued: [Record] = []
        var blank: [UInt8] = []
        var partial: [UInt8] = []
        var arrived = 0
        var expected = 0
        var lost = 0
        var droppedBytes = 0
        var out: [UInt8] = []
        var left = RecordFramer.Run(records: 0, bytes: 0)

        var bytes: Int { queued.reduce(0) { $0 + $1.bytes.count } }
        var lossAhead: Int { (queued.first?.number ?? arrived) - expected }
        var isBlocked: Bool { reportsLosses && lossAhead > 0 }
        var isBeyond: Bool { queued.count > 1 && (queued.count > bound || bytes > byteBound) }

        static func isBlank(_ line: [UInt8]) -> Bool { line == [0x0A] || line == [0x0D, 0x0A] }

        static func key(_ line: [UInt8]) -> UInt8? {
            line.first.flatMap { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 : nil }
        }

        mutating func begin() {
            left = .init(records: 0, bytes: 0)
            out = []
        }

        mutating func leave(_ bytes: [UInt8], records: Int) {
            out += bytes
            left.records += records
            left.bytes += bytes.count
        }

        mutating func take(_ credit: Int, limit: Int) {
            let hadRecords = !queued.isEmpty
            while let first = queued.first, !isBlocked, left.records < credit {
                guard left.bytes + first.bytes.count <= limit || left.bytes == 0 else { break }
                leave(first.bytes, records: 1)
                expected = first.number + 1
                queued.removeFirst()
            }
            guard queued.isEmpty else { return }
            if hadRecords, left.bytes + blank.count > limit { return }
            while !blank.isEmpty {
                let end = blank.firstIndex(of: 0x0A).map { $0 + 1 } ?? blank.count
                guard left.bytes + end <= limit || left.bytes == 0 else { break }
                leave(Array(blank[..<end]), records: 0)
                blank.removeFirst(end)
            }
        }

        mutating func push(_ chunk: [UInt8], credit: Int, limit: Int) {
            let rest = kind == .oldest || kind == .newest ? pushPast(chunk, credit: credit, limit: limit) : chunk[...]
            for byte in rest {
                partial.append(byte)
                if byte == 0x0A { arrive() }
            }
            take(credit, limit: limit)
        }

        mutating func pushPast(_ chunk: [UInt8], credit: Int, limit: Int) -> ArraySlice<UInt8> {
            take(credit, limit: limit)
            var rest = chunk[...]
            if partial.count == 1, let byte = rest.popFirst() {
                partial.append(byte)
                if byte == 0x0A { arrive() }
                take(credit, limit: limit)
            }
            if queued.isEmpty, blank.isEmpty, !isBlocked, left.records < credit {
                while let newline = rest.firstIndex(of: 0x0A) {
                    let line = partial + rest[...newline]
                    guard left.bytes + line.count <= limit else { break }
                    guard Self.isBlank(line) || left.records < credit else { break }
                    if !Self.isBlank(line) {
                        arrived += 1
                        expected = arrived
                    }
                    leave(line, records: Self.isBlank(line) ? 0 : 1)
                    (partial, rest) = ([], rest[(newline + 1)...])
                }
            }
            return rest
        }

        mutating func arrive() {
            let line = partial
            partial = []
            guard !Self.isBlank(line) else {
                blank += line
                if bytes + blank.count > byteBound {
                    droppedBytes += blank.count
                    blank = []
                }
                return
            }
            recordArrived(line)
        }

        mutating func recordArrived(_ line: [UInt8]) {
            partial = []
            let new = Record(number: arrived, bytes: blank + line, key: Self.key(line))
            (blank, arrived) = ([], arrived + 1)
            let fits = { (model: Model) in
                model.queued.isEmpty
                    || (model.queued.count < model.bound && model.bytes + new.bytes.count <= model.byteBound)
            }
            if kind == .newest, !fits(self) {
                lost += 1
                droppedBytes += new.bytes.count
                return
            }
            if kind == .latest { while !queued.isEmpty { drop(at: 0) } }
            if kind == .latestByKey { dropSuperseded(by: new.key) }
            while !fits(self) { drop(at: 0) }
            queued.append(new)
        }

        mutating func drop(at place: Int) {
            lost += 1
            droppedBytes += queued.remove(at: place).bytes.count
        }

        mutating func dropSuperseded(by newest: UInt8?) {
            for place in queued.indices.reversed() {
                guard let key = queued[place].key else { continue }
                if key == newest || queued[(place + 1)...].contains(where: { $0.key == key }) { drop(at: place) }
            }
        }

        mutating func dropBeyond() {
            while isBeyond { drop(at: kind == .newest ? queued.count - 1 : 0) }
        }

        mutating func putBack(_ lines: [[UInt8]]) {
            expected -= lines.count
            let restored = lines.enumerated().map {
                Record(number: expected + $0.offset, bytes: $0.element, key: Self.key($0.element.filter { $0 != 0x0A }))
            }
            queued = restored + queued
            if kind == .latestByKey { dropSuperseded(by: nil) }
            if kind == .latest { while queued.count > 1 { drop(at: 0) } }
            dropBeyond()
        }
    }

    private static func piece(_ random: inout SeededGenerator) -> [UInt8] {
        let alphabet = Array("aabbcd12\r\n\n\n".utf8)
        return (0..<Int.random(in: 0...40, using: &random)).map { _ in
            alphabet[Int.random(in: alphabet.indices, using: &random)]
        }
    }

    private func compare(_ tap: DroppingTap, _ model: Model) {
        #expect(tap.records == model.queued.count)
        #expect(tap.bytes == model.bytes + model.blank.count + model.partial.count)
        #expect(tap.arrived == model.arrived)
        #expect(tap.lost == model.lost)
        #expect(tap.lossAhead == model.lossAhead)
        #expect(tap.droppedBytes == model.droppedBytes)
        #expect(tap.hasOutput == !(model.queued.isEmpty && model.blank.isEmpty))
        #expect(!tap.isEmpty || tap.storedBytes == 0)
        // Of one record held alone, and the one that arrives, whatever their length.
        let alone = model.queued.count == 1 ? model.bytes : 0
        #expect(tap.storedBytes <= max(model.byteBound, alone) + model.byteBound / 4 + model.partial.count)
    }

    /// One step of a walk, on both sides.
    private func step(_ tap: DroppingTap, _ model: inout Model, _ random: inout SeededGenerator) throws {
        let credit = Bool.random(using: &random) ? Int.random(in: 0...10, using: &random) : 0
        let limit = Int.random(in: 1...60, using: &random)
        let before = tap.output.count
        model.begin()
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<12:
            let piece = Self.piece(&random)
            model.push(piece, credit: credit, limit: limit)
            #expect(try tap.push(piece, credit: credit, limit: limit) == model.left)
        case 12..<16:
            model.take(credit, limit: limit)
            #expect(try tap.take(credit, limit: limit) == model.left)
        case 16, 17:
            tap.lossReported()
            model.expected += model.lossAhead
        case 18:
            model.bound = Int.random(in: 1...8, using: &random)
            tap.setRecordBound(model.bound)
            model.dropBeyond()
        default:
            let lines = (0..<Int.random(in: 1...4, using: &random)).map { ["a\($0)\n", "\nb\($0)\n", "7\n"][$0 % 3] }
            tap.putBack(lines.flatMap { Array($0.utf8) }, records: lines.count)
            model.putBack(lines.map { Array($0.utf8) })
        }
        #expect(Array(tap.output[before...]) == model.out)
        compare(tap, model)
    }

    @Test(arguments: 0..<200, Kind.allCases) func agreesWithPlainArrays(seed: Int, kind: Kind) throws {
        var random = SeededGenerator(seed: seed)
        var model = Model(
            kind: kind, bound: Int.random(in: 1...8, using: &random),
            byteBound: Int.random(in: 1...100, using: &random),
            reportsLosses: Bool.random(using: &random))
        let overflow: Overflow = kind == .oldest ? .dropOldest : kind == .newest ? .dropNewest : .latest
        let tap = DroppingTap(
            overflow, records: model.bound, bytes: model.byteBound, hasKeys: kind == .latestByKey,
            reportsLosses: model.reportsLosses)
        for _ in 0..<300 { try step(tap, &model, &random) }
        try tap.finish()
        if !model.partial.isEmpty { model.recordArrived(model.partial) }
        model.begin()
        let before = tap.output.count
        _ = try tap.rest()
        while !(model.queued.isEmpty && model.blank.isEmpty) {
            model.expected += model.lossAhead
            model.take(.max, limit: .max)
        }
        #expect(Array(tap.output[before...]) == model.out)
        #expect(tap.lost == model.lost)
        #expect(tap.isEmpty && tap.storedBytes == 0)
    }

    /// What is lost, and what leaves, in one piece and in any others.
    @Test(arguments: 0..<200, Kind.allCases) func losesTheSameInAnySplit(seed: Int, kind: Kind) throws {
        var random = SeededGenerator(seed: seed)
        let input = (0..<6).flatMap { _ in Self.piece(&random) }
        let records = Int.random(in: 1...8, using: &random), bytes = Int.random(in: 4...60, using: &random)
        let overflow: Overflow = kind == .oldest ? .dropOldest : kind == .newest ? .dropNewest : .latest
        let make = {
            DroppingTap(overflow, records: records, bytes: bytes, hasKeys: kind == .latestByKey, reportsLosses: true)
        }
        let whole = make()
        // No room: what arrives is queued or dropped.
        try whole.push(input, limit: 0)
        let expected = (whole.lost, whole.lossAhead, whole.droppedBytes, try whole.rest())
        for first in stride(from: 0, through: input.count, by: 3) {
            let second = Int.random(in: first...input.count, using: &random)
            let tap = make()
            for piece in [input[..<first], input[first..<second], input[second...]] { try tap.push(piece, limit: 0) }
            #expect((tap.lost, tap.lossAhead, tap.droppedBytes, try tap.rest()) == expected)
        }
        let tap = make()
        for byte in input { try tap.push([byte], limit: 0) }
        #expect((tap.lost, tap.lossAhead, tap.droppedBytes, try tap.rest()) == expected)
    }
}
