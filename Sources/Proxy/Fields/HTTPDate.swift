import Glibc
import NIOConcurrencyHelpers
import Observability

/// The text of `Date` fields (RFC 9110, section 5.6.7), made once a second.
final class HTTPDate: Sendable {
    private let made = NIOLockedValueBox<(second: Int64, text: String)>((-1, ""))

    /// The date as `Mon, 23 Nov 2026 18:00:00 GMT`.
    func text(at time: Timestamp) -> String {
        let second = time.millisecondsSince1970 / 1000
        return made.withLockedValue { made in
            if made.second != second { made = (second, Self.format(second)) }
            return made.text
        }
    }

    /// The process never calls `setlocale`, so the names are English.
    private static func format(_ second: Int64) -> String {
        var second = time_t(second)
        var parts = tm()
        gmtime_r(&second, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
            let length = strftime(text.baseAddress, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            return String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }
}
