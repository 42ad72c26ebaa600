import Flow
import Testing

@Suite struct TraceContextTests {
    static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    private struct Counting: RandomNumberGenerator {
        var values: [UInt64]
        mutating func next() -> UInt64 { values.removeFirst() }
    }

    private func joined(_ parents: [String], drawing values: [UInt64] = [0xA, 0xB, 0xC]) -> TraceContext {
        var generator = Counting(values: values)
        return TraceContext(joining: parents, using: &generator)
    }

    @Test func aWellFormedParentIsJoinedWithASpanOfItsOwn() {
        let context = joined([Self.parent])
        #expect(!context.isOwn)
        #expect(context.traceId == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(context.traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-000000000000000a-01")
    }

    @Test func eachAttemptContinuesTheTraceWithASpanOfItsOwn() {
        let context = joined([Self.parent])
        let attempts = (1...50).map(context.attempt)
        #expect(Set(attempts.map(\.spanId)).count == 50)
        #expect(attempts.allSatisfy { $0.parentSpanId == context.spanId && $0.traceId == context.traceId })
        #expect(attempts.allSatisfy { $0.isSampled && !$0.isOwn && $0.spanId != context.spanId })
        #expect(attempts[0].traceparent == "00-\(context.traceId)-\(attempts[0].spanId)-01")
        #expect((context.spanId, context.parentSpanId) == ("000000000000000a", "00f067aa0ba902b7"))
        #expect(joined([]).parentSpanId == nil)
    }

    @Test(arguments: ["00", "01", "02", "03"]) func theFlagsThatAreDefinedAreKept(flags: String) {
        #expect(joined([Self.parent.dropLast(2) + flags]).traceparent.hasSuffix("-" + flags))
    }

    @Test func theFlagsThatAreNotAreDropped() {
        #expect(joined([Self.parent.dropLast(2) + "ff"]).traceparent.hasSuffix("-03"))
    }

    @Test(arguments: ["", "-", "-what-the-future-will-bring"])
    func aLaterVersionIsReadAsFarAsItIsKnown(rest: String) {
        let context = joined(["cc" + Self.parent.dropFirst(2) + rest])
        #expect(context.traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-000000000000000a-01")
    }

    static let malformed = [
        "", "00", parent + "-", parent + "-00", parent + "0", parent.uppercased(), " " + parent, parent + " ",
        "ff" + parent.dropFirst(2), "cc" + parent.dropFirst(2) + ".what", "0g" + parent.dropFirst(2),
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ]

    @Test(arguments: malformed) func aMalformedParentBeginsATraceThatIsNotSampled(parent: String) {
        let context = joined([parent])
        #expect(context.isOwn)
        #expect(context.traceparent == "00-000000000000000a000000000000000b-000000000000000c-00")
        #expect(context.traceId == "000000000000000a000000000000000b")
    }

    @Test func noneOrSeveralBeginATrace() {
        #expect(joined([]).isOwn)
        #expect(joined([Self.parent, Self.parent]).isOwn)
    }

    @Test func everyPrefixOfAParentIsMalformed() {
        for length in 0..<Self.parent.count { #expect(joined([String(Self.parent.prefix(length))]).isOwn) }
    }

    @Test(arguments: 0..<55) func everyOtherByteIsRefusedOrADigit(place: Int) {
        for byte in UInt8.min...127 {
            var bytes = Array(Self.parent.utf8)
            bytes[place] = byte
            let text = String(decoding: bytes, as: UTF8.self)
            let context = joined([text])
            let isDigit = "0123456789abcdef".utf8.contains(byte)
            let isDash = [2, 35, 52].contains(place)
            // Version f0 and the like are later ones, whose rest is known as far; 0x and x0 alone are digits everywhere.
            #expect(context.isOwn == !(isDash ? byte == UInt8(ascii: "-") : isDigit), "\(text)")
        }
    }

    @Test func noIdIsZero() {
        let context = joined([], drawing: [0, 1, 0, 0, 2])
        #expect(context.traceparent == "00-00000000000000010000000000000000-0000000000000002-00")
    }

    // MARK: tracestate

    @Test(arguments: [
        (["a=1"], "a=1"), (["a=1,b=2"], "a=1,b=2"), (["a=1", "b=2"], "a=1,b=2"), ([" a=1 ,\tb=2\t"], "a=1,b=2"),
        (["a=1,,b=2", "", ","], "a=1,b=2"), (["0tenant@system_*/-=x y!"], "0tenant@system_*/-=x y!"),
    ])
    func theStateIsOneListInItsOrder(values: [String], state: String) {
        #expect(TraceContext.state(joining: values) == state)
    }

    @Test(arguments: [
        [], [""], ["a"], ["=1"], ["a="], ["A=1"], ["a=1,b"], ["a=1=2"], ["a=\u{7f}"], ["é=1"], ["a=é"], ["_a=1"],
        [String(repeating: "k", count: 257) + "=1"], ["a=" + String(repeating: "v", count: 257)],
        [(0...32).map { "k\($0)=v" }.joined(separator: ",")],
    ])
    func whatIsNoListOfMembersIsNoState(values: [String]) {
        #expect(TraceContext.state(joining: values) == nil)
    }

    @Test func aListOf32MembersIsTheLongest() {
        let state = (1...32).map { "k\($0)=v" }.joined(separator: ",")
        #expect(TraceContext.state(joining: [state]) == state)
    }
}
