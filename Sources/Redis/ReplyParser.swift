package import NIOCore

/// Splits the bytes of a connection into replies; strict, and bounded in each dimension.
///
/// A server is trusted less than it seems: a wrong port or a proxy in between sends other bytes, and a reply without a bound
/// would be a way to exhaust weir's memory. After an error the connection is of no use, because the beginning of the next
/// reply is not known.
///
/// Invariants (`ReplyParserTests`):
/// 1. The replies do not depend on how the bytes are split.
/// 2. At most `Bounds.bytes` and the bytes of one append are kept between two calls.
///
/// - Complexity: O(bytes) over all calls, for any split.
package struct ReplyParser {
    /// Why bytes are not a reply.
    package enum Malformed: Error, Equatable, Sendable {
        case type(UInt8)
        /// A line that is not ended by CR and LF, or is not UTF-8.
        case line
        /// A number that is not one, or a length below -1.
        case number
        /// A line, a string, an array or a whole reply above its bound.
        case tooLarge
        case tooDeep
    }

    package struct Bounds: Sendable {
        /// Bytes of one line without its end: errors are the longest.
        package var line = 4096
        /// Bytes of one bulk string.
        package var string = 256 * 1024
        /// Items of one array.
        package var items = 16_384
        /// Arrays within each other.
        package var depth = 4
        /// Bytes of a whole reply.
        package var bytes = 1024 * 1024

        package init() {}
    }

    private enum Step {
        case incomplete
        case opened
        case value(Reply)
    }

    /// CR and LF.
    private static let lineEnd: UInt16 = 0x0D0A

    private let bounds: Bounds
    private var buffer = ByteBuffer()
    /// Bytes at the beginning of `buffer` that contain no CR.
    private var searched = 0
    /// The length of the bulk string whose bytes follow; `nil` if a line follows.
    private var stringLength: Int?
    /// Arrays that are not complete, the outermost first.
    private var open: [OpenArray] = []
    /// Bytes of the present reply so far.
    private var taken = 0

    package init(bounds: Bounds = Bounds()) { self.bounds = bounds }

    /// Takes the next bytes of the connection.
    package mutating func append(_ bytes: ByteBuffer) {
        // Most replies arrive whole, and are read where they are.
        guard buffer.readableBytes > 0 else { return buffer = bytes }
        buffer.discardReadBytes()
        buffer.writeImmutableBuffer(bytes)
    }

    /// The next whole reply; `nil` if its bytes have not arrived yet.
    ///
    /// - Throws: Why the bytes are not a reply; then the parser must not be used any more.
    package mutating func next() throws(Malformed) -> Reply? {
        while true {
            switch try step() {
            case .incomplete:
                // The channel may read into the same memory again.
                if buffer.readableBytes == 0 { buffer = ByteBuffer() }
                return nil
            case .opened: try takeIntegers()
            case .value(let value):
                guard let reply = completed(by: value) else { continue }
                taken = 0
                return reply
            }
        }
    }

    /// The reply that `value` completes; `nil` if an array around it is not complete.
    private mutating func completed(by value: Reply) -> Reply? {
        var value = value
        while let innermost = open.indices.last {
            open[innermost].append(value)
            guard open[innermost].missing == 0 else { return nil }
            value = open.removeLast().reply
        }
        return value
    }

    private mutating func step() throws(Malformed) -> Step {
        if let length = stringLength { return try string(of: length) }
        guard var rest = try line() else { return .incomplete }
        guard let type = rest.readInteger(as: UInt8.self) else { throw .line }
        switch type {
        case UInt8(ascii: "+"): return .value(.status(try text(rest)))
        case UInt8(ascii: "-"): return .value(.error(ServerError(try text(rest))))
        case UInt8(ascii: ":"): return .value(.integer(try number(rest)))
        case UInt8(ascii: "$"):
            guard let length = try length(rest, atMost: bounds.string) else { return .value(.null) }
            stringLength = length
            return .opened
        case UInt8(ascii: "*"):
            guard let count = try length(rest, atMost: bounds.items) else { return .value(.null) }
            guard count > 0 else { return .value(.array([])) }
            guard open.count < bounds.depth else { throw .tooDeep }
            open.append(OpenArray(count: count))
            return .opened
        default: throw .type(type)
        }
    }

    /// Adds the integers that follow to an array, except for its last item: the replies of scripts consist of them.
    ///
    /// Leaves all else to ``step()``, which does it for a multiple of the cost.
    private mutating func takeIntegers() throws(Malformed) {
        guard stringLength == nil, let innermost = open.indices.last else { return }
        var length = 0
        while open[innermost].missing > 1, let (number, end) = shortNumber(at: length) {
            open[innermost].append(.integer(number))
            length = end
        }
        buffer.moveReaderIndex(forwardBy: length)
        try take(length)
    }

    /// The number of a whole line that is an integer of at most 18 digits, and the end of the line.
    private func shortNumber(at start: Int) -> (number: Int64, end: Int)? {
        let bytes = buffer.readableBytesUInt8Span
        guard start < bytes.count, bytes[start] == UInt8(ascii: ":") else { return nil }
        var number: Int64 = 0, index = start + 1
        let last = min(bytes.count - 2, start + min(bounds.line, 19))
        while index < last, bytes[index] &- UInt8(ascii: "0") <= 9 {
            number = 10 * number + Int64(bytes[index] &- UInt8(ascii: "0"))
            index += 1
        }
        guard index > start + 1, index <= bytes.count - 2, bytes[index] == UInt8(ascii: "\r"),
            bytes[index + 1] == UInt8(ascii: "\n")
        else { return nil }
        return (number, index + 2)
    }

    private mutating func take(_ count: Int) throws(Malformed) {
        taken += count
        guard taken <= bounds.bytes else { throw .tooLarge }
    }

    /// The next line without its end; `nil` if it is not complete.
    private mutating func line() throws(Malformed) -> ByteBuffer? {
        let (length, isComplete) = lengthOfLine()
        guard length <= bounds.line else { throw .tooLarge }
        searched = length
        guard isComplete, let line = buffer.readSlice(length: length) else { return nil }
        guard buffer.readInteger(as: UInt16.self) == Self.lineEnd else { throw .line }
        searched = 0
        try take(length + 2)
        return line
    }

    /// The bytes before the first CR, or all if there is none, and whether the end of the line has arrived.
    private func lengthOfLine() -> (length: Int, isComplete: Bool) {
        let bytes = buffer.readableBytesUInt8Span
        var index = searched
        while index < bytes.count, bytes[index] != UInt8(ascii: "\r") { index += 1 }
        return (index, index + 1 < bytes.count)
    }

    private mutating func string(of length: Int) throws(Malformed) -> Step {
        guard buffer.readableBytes >= length + 2, let bytes = buffer.readBytes(length: length) else {
            return .incomplete
        }
        guard buffer.readInteger(as: UInt16.self) == Self.lineEnd else { throw .line }
        stringLength = nil
        try take(length + 2)
        return .value(.bytes(bytes))
    }

    private func text(_ line: ByteBuffer) throws(Malformed) -> String {
        let bytes = line.readableBytesView
        guard !bytes.contains(UInt8(ascii: "\n")), let text = String(validating: bytes, as: UTF8.self) else {
            throw .line
        }
        return text
    }

    /// A decimal number, perhaps with a minus.
    private func number(_ line: ByteBuffer) throws(Malformed) -> Int64 {
        let digits = line.readableBytesUInt8Span
        let isNegative = !digits.isEmpty && digits[0] == UInt8(ascii: "-")
        let first = isNegative ? 1 : 0
        guard digits.count > first else { throw .number }
        // The negative numbers are one more than the positive ones.
        var negative: Int64 = 0
        for index in first..<digits.count {
            let digit = digits[index] &- UInt8(ascii: "0")
            let (tens, isTooLarge) = negative.multipliedReportingOverflow(by: 10)
            let (sum, isTooLargeWithIt) = tens.subtractingReportingOverflow(Int64(digit))
            guard digit <= 9, !isTooLarge, !isTooLargeWithIt else { throw .number }
            negative = sum
        }
        guard !isNegative else { return negative }
        guard negative != .min else { throw .number }
        return -negative
    }

    /// A length; `nil` for -1, which is null.
    private func length(_ line: ByteBuffer, atMost maximum: Int) throws(Malformed) -> Int? {
        let length = try number(line)
        guard length >= 0 else {
            guard length == -1 else { throw .number }
            return nil
        }
        guard length <= maximum else { throw .tooLarge }
        return Int(length)
    }
}

/// An array of which items are missing.
private struct OpenArray {
    private(set) var missing: Int
    /// The items while all of them are integers, as scripts return them.
    private var numbers: [Int64] = []
    /// The items once one of them is none; empty before.
    private var others: [Reply] = []

    init(count: Int) {
        missing = count
        // The count is only announced: more than these are stored as they arrive.
        numbers.reserveCapacity(min(count, 16))
    }

    mutating func append(_ item: Reply) {
        missing -= 1
        if others.isEmpty {
            if case .integer(let number) = item { return numbers.append(number) }
            others = numbers.map { .integer($0) }
        }
        others.append(item)
    }

    var reply: Reply { others.isEmpty ? .integers(numbers) : .array(others) }
}
