import Downstream
import Flow
import HTTPText
import NIOHTTP1

/// The number of times that a TRACE or OPTIONS request may be forwarded (`Max-Forwards`; RFC 9110, section 7.6.2).
enum MaxForwards: Equatable, Sendable {
    /// The client sets no limit. For other methods the field has no meaning, and passes.
    case unlimited
    /// weir is the last recipient, and responds itself.
    case exhausted
    /// The request is forwarded with this number.
    case remaining(Int)

    /// - Throws: `malformedRequest` for anything except one number.
    init(of request: borrowing Request) throws(Problem) {
        self = .unlimited
        switch request.head.method {
        case .OPTIONS, .TRACE: break
        default: return
        }
        let lines = request.values(of: Self.field)
        guard let line = lines.first else { return }
        guard lines.count == 1, !line.isEmpty, line.utf8.allSatisfy(\.isDigit) else { throw .malformedRequest }
        // A recipient may lower the number to the maximum that it can represent.
        let count = Int(digits: line.utf8) ?? Int.largestOfDigits
        self = count == 0 ? .exhausted : .remaining(count - 1)
    }

    static let field = "Max-Forwards"
}
