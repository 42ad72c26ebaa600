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

    private let bounds: Bounds
    private var buffer = ByteBuffer()
    /// Bytes at the beginning of `buffer` that contain no CR.
    private var searched = 0
    /// The length of the bulk string whose bytes follow; `nil` if a line follows.
    private var stringLength: Int?
    /// Arrays that are not complete, the outermost first.
    private var open: [(missing: Int, items: [Reply])] = []
    /// Bytes of the present reply so far.
    private var taken = 0

    package init(bounds: Bounds = Bounds()) { self.bounds = bounds }

    /// Takes the next bytes of the connection.
    package mutating func append(_ bytes: ByteBuffer) {
        buffer.discardReadBytes()
        buffer.writeImmutableBuffer(bytes)
    }

    /// The next whole reply; `nil` if its bytes have not arrived yet.
    ///
    /// - Throws: Why the bytes are not a reply; then the parser must not be used any more.
    package mutating func next() throws(Malformed) -> Reply? {
        while true {
            switch try step() {
            case .incomplete: return nil
            case .opened: continue
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
        while var array = open.popLast() {
            array.items.append(value)
            array.missing -= 1
            guard array.missing == 0 else {
                open.append(array)
                return nil
            }
            value = .array(array.items)
        }
        return value
    }

    private mutating func step() throws(Malformed) -> Step {
        if let length = stringLength { return try string(of: length) }
        guard let line = try line() else { return .incomplete }
        guard let type = line.first else { throw .line }
        let rest = line.dropFirst()
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
            // The count is only announced: the items are stored as they arrive.
            open.append((count, []))
            return .opened
        default: throw .type(type)
        }
    }

    private mutating func take(_ count: Int) throws(Malformed) {
        taken += count
        guard taken <= bounds.bytes else { throw .tooLarge }
    }

    /// The next line without its end; `nil` if it is not complete.
    private mutating func line() throws(Malformed) -> [UInt8]? {
        let view = buffer.readableBytesView
        guard let end = view.dropFirst(searched).firstIndex(of: UInt8(ascii: "\r")) else {
            searched = view.count
            guard searched <= bounds.line else { throw .tooLarge }
            return nil
        }
        let length = end - view.startIndex
        guard length <= bounds.line else { throw .tooLarge }
        guard length + 1 < view.count else {
            searched = length
            return nil
        }
        guard view[end + 1] == UInt8(ascii: "\n"), let line = buffer.readBytes(length: length) else { throw .line }
        buffer.moveReaderIndex(forwardBy: 2)
        searched = 0
        try take(length + 2)
        return line
    }

    private mutating func string(of length: Int) throws(Malformed) -> Step {
        guard buffer.readableBytes >= length + 2, let bytes = buffer.readBytes(length: length),
            let end = buffer.readBytes(length: 2)
        else { return .incomplete }
        guard end == [UInt8(ascii: "\r"), UInt8(ascii: "\n")] else { throw .line }
        stringLength = nil
        try take(length + 2)
        return .value(.bytes(bytes))
    }

    private func text(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> String {
        guard !bytes.contains(UInt8(ascii: "\n")), let text = String(validating: bytes, as: UTF8.self) else {
            throw .line
        }
        return text
    }

    /// A decimal number, perhaps with a minus.
    private func number(_ digits: ArraySlice<UInt8>) throws(Malformed) -> Int64 {
        let isNegative = digits.first == UInt8(ascii: "-")
        let magnitude = isNegative ? digits.dropFirst() : digits
        guard !magnitude.isEmpty, magnitude.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int64(String(decoding: digits, as: UTF8.self))
        else { throw .number }
        return number
    }

    /// A length; `nil` for -1, which is null.
    private func length(_ digits: ArraySlice<UInt8>, atMost maximum: Int) throws(Malformed) -> Int? {
        let length = try number(digits)
        guard length >= 0 else {
            guard length == -1 else { throw .number }
            return nil
        }
        guard length <= maximum else { throw .tooLarge }
        return Int(length)
    }
}
