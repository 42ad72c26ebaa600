import CSimdJSON
package import Flow

/// A reference to a value in a JSON text (RFC 6901): the key of a record.
///
/// A key is a string, unescaped, or a number, true, false or null as it is written: 1 and 1.0 are two keys, and so are
/// 1 and "1". Objects and arrays are not keys. Member names in the text are compared as they are written, so that a
/// name with an unnecessary escape is not found; of two equal names the first counts. A text that is malformed before
/// the value has no key; the bytes after the value are hardly checked.
///
/// simdjson parses 64 bytes at once: 0.1 µs for a record of 200 bytes where jsmn takes 0.2 and JSONSerialization 4; 0.4
/// to 1 µs for one of 4 KiB where they take 4 and 105 (docs/BENCHMARKS.md). Its memory belongs to the thread.
package struct JSONPointer: Hashable, Sendable {
    package let text: String

    /// Checks the syntax; `nil` for a text that is no pointer, and for the empty one, which is the whole document.
    package init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "/"), text.utf8.count <= 1024 else { return nil }
        var isEscaped = false
        for byte in text.utf8 {
            guard !isEscaped || byte == UInt8(ascii: "0") || byte == UInt8(ascii: "1") else { return nil }
            isEscaped = byte == UInt8(ascii: "~")
        }
        guard !isEscaped else { return nil }
        var native = text
        native.makeContiguousUTF8()
        self.text = native
    }
}

extension JSONPointer {
    /// The keys that a value of this text has: as a string, and as a number, true, false or null.
    package static func keys(of value: String) -> Set<RecordKey> {
        var value = value
        return value.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            return Set(
                [weir_json_string, weir_json_literal].map { RecordKey(bytes, kind: UInt8($0.rawValue)) })
        }
    }
}

extension JSONPointer {
    /// The string, unescaped, or the number, true, false or null as it is written; `nil` if there is none.
    package func text(in text: UnsafeRawBufferPointer) -> String? {
        value(in: text).map { String(decoding: $0.bytes, as: UTF8.self) }
    }
}

extension JSONPointer: RecordKeyReader {
    package func key(of record: UnsafeRawBufferPointer) -> RecordKey? {
        value(in: record).map { RecordKey($0.bytes, kind: UInt8($0.kind.rawValue)) }
    }

    /// The string, unescaped, or the literal at the pointer, valid until the next call on this thread.
    private func value(in record: UnsafeRawBufferPointer) -> (kind: weir_json_kind, bytes: UnsafeRawBufferPointer)? {
        guard !record.isEmpty else { return nil }
        var value: UnsafePointer<CChar>?
        var length = 0
        let characters = record.assumingMemoryBound(to: CChar.self)
        // Contiguous since the initialiser, so that this copies nothing.
        let kind = text.utf8.withContiguousStorageIfAvailable { pointer in
            pointer.withMemoryRebound(to: CChar.self) {
                weir_json_at($0.baseAddress, $0.count, characters.baseAddress, characters.count, &value, &length)
            }
        }
        guard let kind, kind != weir_json_none else { return nil }
        return (kind, UnsafeRawBufferPointer(start: value, count: length))
    }
}

/// A weight is a number without a sign, a fraction and an exponent; a string of digits is none.
extension JSONPointer: RecordWeightReader {
    package func weight(of text: UnsafeRawBufferPointer) -> Int? {
        guard let value = value(in: text), value.kind == weir_json_literal else { return nil }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        // As many digits as the largest weight has.
        guard (1...9).contains(value.bytes.count), value.bytes.allSatisfy(digits.contains) else { return nil }
        return value.bytes.reduce(0) { $0 * 10 + Int($1 - digits.lowerBound) }
    }
}
