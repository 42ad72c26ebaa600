/// The trace of a request, and weir's own span in it (W3C Trace Context, Recommendation of 2021).
package struct TraceContext: Equatable, Sendable {
    package static let parentHeader = "traceparent"
    package static let stateHeader = "tracestate"

    private let high: UInt64, low: UInt64
    private let span: UInt64
    /// The span that caused this one; 0 if there is none.
    private let parent: UInt64
    private let flags: UInt8
    /// Whether the trace begins here: then no received `tracestate` belongs to it (section 3.3.1.5).
    package let isOwn: Bool

    /// Joins the client's trace, whose sampling is kept, or begins one.
    ///
    /// - Parameters:
    ///   - parents: The values of `traceparent`. A single well-formed one is joined; otherwise a trace begins.
    ///   - sampling: Decides about a trace that begins here.
    ///   - generator: Must be cryptographically secure if other ids are drawn from it too.
    package init(
        joining parents: [String], sampling: TraceSampling = .never, using generator: inout some RandomNumberGenerator
    ) {
        let joined = parents.count == 1 ? parents.first.flatMap { Parent(Array($0.utf8)) } : nil
        isOwn = joined == nil
        (high, low) = joined.map { ($0.high, $0.low) } ?? (Self.draw(using: &generator), generator.next())
        flags = joined?.flags ?? (sampling.takes(low) ? Self.sampledFlag : 0)
        span = Self.draw(using: &generator)
        parent = joined?.span ?? 0
    }

    private init(spanOf context: TraceContext, id: UInt64) {
        (high, low, flags, isOwn) = (context.high, context.low, context.flags, context.isOwn)
        (span, parent) = (id, context.span)
    }

    private static let sampledFlag: UInt8 = 1

    /// Whether spans of the trace are recorded (section 3.2.2.5.1).
    package var isSampled: Bool { flags & Self.sampledFlag != 0 }

    /// The span of an attempt to answer the request, whose parent is this span.
    ///
    /// Its id is a permutation of this span's and the number (SplitMix64): it is different for each number, and costs no random
    /// bits.
    package func attempt(_ number: Int) -> TraceContext {
        var id = span &+ UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15
        id = (id ^ (id >> 30)) &* 0xBF58_476D_1CE4_E5B9
        id = (id ^ (id >> 27)) &* 0x94D0_49BB_1331_11EB
        id ^= id >> 31
        return TraceContext(spanOf: self, id: id == 0 ? 1 : id)
    }

    /// Zero is not a valid id (sections 3.2.2.3 and 3.2.2.4).
    private static func draw(using generator: inout some RandomNumberGenerator) -> UInt64 {
        while true {
            let drawn: UInt64 = generator.next()
            if drawn != 0 { return drawn }
        }
    }

    /// 32 hexadecimal digits in lower case.
    package var traceId: String {
        String(unsafeUninitializedCapacity: 32) { digits in
            let bytes = UnsafeMutableRawBufferPointer(digits)
            bytes.writeDigits(of: high, at: 0)
            bytes.writeDigits(of: low, at: 16)
            return 32
        }
    }

    /// The id of this span, as 16 hexadecimal digits in lower case.
    package var spanId: String { Self.text(of: span) }

    /// The id of the span that caused this one, in the same form; `nil` if there is none.
    package var parentSpanId: String? { parent == 0 ? nil : Self.text(of: parent) }

    private static func text(of id: UInt64) -> String {
        String(unsafeUninitializedCapacity: 16) { digits in
            UnsafeMutableRawBufferPointer(digits).writeDigits(of: id, at: 0)
            return 16
        }
    }

    /// The trace's id for the client; `nil` if the trace begins here and means nothing to the client.
    package var sharedTraceId: String? { isOwn ? nil : traceId }

    /// The header for the upstream, in version 00: the trace, weir's span as the parent, the flags (section 3.2).
    package var traceparent: String {
        var text = ""
        withTraceparent { text = String(decoding: $0, as: UTF8.self) }
        return text
    }

    /// Calls `body` with the text of ``traceparent``, which costs no allocation.
    package func withTraceparent(_ body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 55, alignment: 1) { text in
            (text[0], text[1], text[2]) = (UInt8(ascii: "0"), UInt8(ascii: "0"), dash)
            text.writeDigits(of: high, at: 3)
            text.writeDigits(of: low, at: 19)
            text[35] = dash
            text.writeDigits(of: span, at: 36)
            text[52] = dash
            text[53] = .hexDigit(flags >> 4)
            text[54] = .hexDigit(flags & 15)
            body(UnsafeRawBufferPointer(text))
        }
    }
}

extension TraceContext {
    /// The fields of a well-formed `traceparent`.
    private struct Parent {
        let high: UInt64, low: UInt64
        let span: UInt64
        let flags: UInt8

        /// `00-<32 digits>-<16 digits>-<2 digits>`; a later version may append more after another `-` (section 3.2.4).
        init?(_ text: [UInt8]) {
            guard text.count >= 55, text[2] == dash, text[35] == dash, text[52] == dash,
                let version = Self.number(text[0..<2]), version != 0xFF,
                text.count == 55 || (version > 0 && text[55] == dash),
                let high = Self.number(text[3..<19]), let low = Self.number(text[19..<35]), high | low != 0,
                let span = Self.number(text[36..<52]), span != 0, let flags = Self.number(text[53..<55])
            else { return nil }
            (self.high, self.low, self.span) = (high, low, span)
            // The sampled flag, and the random flag of the next edition; undefined flags are not passed on (section
            // 3.2.2.5).
            self.flags = UInt8(flags) & 0b11
        }

        /// Only hexadecimal digits in lower case, at most 16.
        private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
            var number: UInt64 = 0
            for byte in digits {
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(byte - UInt8(ascii: "0"))
                case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
                default: return nil
                }
            }
            return number
        }
    }

    /// The values of `tracestate` as one list, for a trace that was joined.
    ///
    /// - Returns: The members in their order, without empty ones; `nil` if there are none, more than 32, or one that is
    ///   not a `key=value` (sections 3.3.1 and 3.3.1.3).
    package static func state(joining values: [String]) -> String? {
        var members: [String] = []
        for value in values {
            for member in value.utf8.split(separator: UInt8(ascii: ",")) {
                var member = member.drop { $0 == space || $0 == tab }
                while let last = member.last, last == space || last == tab { member.removeLast() }
                if member.isEmpty { continue }
                guard members.count < 32, isMember(Array(member)) else { return nil }
                members.append(String(decoding: Array(member), as: UTF8.self))
            }
        }
        return members.isEmpty ? nil : members.joined(separator: ",")
    }

    private static func isMember(_ member: [UInt8]) -> Bool {
        guard let equals = member.firstIndex(of: UInt8(ascii: "=")) else { return false }
        let (key, value) = (member[..<equals], member[(equals + 1)...])
        return (1...256).contains(key.count) && isKeyStart(key[0])
            && key.allSatisfy { isKeyStart($0) || "_-*/@".utf8.contains($0) }
            && (1...256).contains(value.count)
            && value.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") }
    }

    private static func isKeyStart(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Writes the 16 hexadecimal digits of a number, in lower case, eight at a time: in a word with a digit's value in each
    /// byte, those from 10 on get the distance from `9` to `a` added.
    fileprivate func writeDigits(of number: UInt64, at offset: Int) {
        for half in 0..<2 {
            var spread = number >> (32 - 32 * UInt64(half)) & 0xFFFF_FFFF
            spread = (spread << 16 | spread) & 0x0000_FFFF_0000_FFFF
            spread = (spread << 8 | spread) & 0x00FF_00FF_00FF_00FF
            spread = (spread << 4 | spread) & 0x0F0F_0F0F_0F0F_0F0F
            let letters = ((spread &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
            let text = spread &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
            storeBytes(of: text.bigEndian, toByteOffset: offset + 8 * half, as: UInt64.self)
        }
    }
}

private let dash = UInt8(ascii: "-")
private let space = UInt8(ascii: " ")
private let tab = UInt8(ascii: "\t")
