/// The trace of a request, and weir's own span in it (W3C Trace Context, Recommendation of 2021).
package struct TraceContext: Equatable, Sendable {
    package static let parentHeader = "traceparent"
    package static let stateHeader = "tracestate"

    private let high: UInt64, low: UInt64
    private let span: UInt64
    private let flags: UInt8
    /// Whether the trace begins here: then no received `tracestate` belongs to it (section 3.3.1.5).
    package let isOwn: Bool

    /// Joins the client's trace, or begins one that is not sampled.
    ///
    /// - Parameters:
    ///   - parents: The values of `traceparent`. A single well-formed one is joined; otherwise a trace begins.
    ///   - generator: Must be cryptographically secure if other ids are drawn from it too.
    package init(joining parents: [some StringProtocol], using generator: inout some RandomNumberGenerator) {
        let parent = parents.count == 1 ? parents.first.flatMap { Parent(Array($0.utf8)) } : nil
        isOwn = parent == nil
        flags = parent?.flags ?? 0
        (high, low) = parent.map { ($0.high, $0.low) } ?? (Self.draw(using: &generator), generator.next())
        span = Self.draw(using: &generator)
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
            for index in 0..<32 { digits[index] = digit(index) }
            return 32
        }
    }

    /// The trace's id for the client; `nil` if the trace begins here and means nothing to the client.
    package var sharedTraceId: String? { isOwn ? nil : traceId }

    /// The header for the upstream, in version 00: the trace, weir's span as the parent, the flags (section 3.2).
    package var traceparent: String {
        String(unsafeUninitializedCapacity: 55) { text in
            for (index, byte) in "00-".utf8.enumerated() { text[index] = byte }
            for index in 0..<32 { text[3 + index] = digit(index) }
            text[35] = UInt8(ascii: "-")
            for index in 0..<16 {
                text[36 + index] = .hexDigit(UInt8(truncatingIfNeeded: span >> (60 - 4 * index)) & 15)
            }
            text[52] = UInt8(ascii: "-")
            text[53] = .hexDigit(flags >> 4)
            text[54] = .hexDigit(flags & 15)
            return 55
        }
    }

    private func digit(_ index: Int) -> UInt8 {
        .hexDigit(UInt8(truncatingIfNeeded: (index < 16 ? high : low) >> (60 - 4 * (index & 15))) & 15)
    }
}

extension TraceContext {
    /// The fields of a well-formed `traceparent`.
    private struct Parent {
        let high: UInt64, low: UInt64
        let flags: UInt8

        /// `00-<32 digits>-<16 digits>-<2 digits>`; a later version may append more after another `-` (section 3.2.4).
        init?(_ text: [UInt8]) {
            guard text.count >= 55, text[2] == dash, text[35] == dash, text[52] == dash,
                let version = Self.number(text[0..<2]), version != 0xFF,
                text.count == 55 || (version > 0 && text[55] == dash),
                let high = Self.number(text[3..<19]), let low = Self.number(text[19..<35]), high | low != 0,
                let span = Self.number(text[36..<52]), span != 0, let flags = Self.number(text[53..<55])
            else { return nil }
            (self.high, self.low) = (high, low)
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

private let dash = UInt8(ascii: "-")
private let space = UInt8(ascii: " ")
private let tab = UInt8(ascii: "\t")
